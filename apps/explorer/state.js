// What the page shows, as the address after # keeps it, so that a link restores the view.

// At the end of the slider latents are not cut off at all, which a request says by 10.
export const NONE = 3;
export const CUTS_NOTHING = 10;
export const SEEDS = 2 ** 31; // from 0

const DEFAULTS = {
  model: "", // "": the first
  version: "", // "": the newest
  class: "", // "": every class in turn
  seed: 0,
  count: 24,
  truncation: NONE,
  a: "", // seeds between which to walk
  b: "",
  step: 0,
  x: "", // place in the latent plane
  y: "",
  task: "", // what is done to a picture
  invert: 0,
  code: "curl",
};
export const COUNTS = [12, 24, 48, 96];
const WHOLE = new Set(["version", "class", "a", "b"]);
const LIMITS = { seed: [0, SEEDS - 1], truncation: [0, NONE] };

export function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = { ...DEFAULTS };
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    if (!given.has(name)) continue;
    const text = given.get(name);
    // A link may have been cut or changed by hand.
    if (WHOLE.has(name) && !/^\d*$/.test(text)) continue;
    if (typeof usual === "string") state[name] = text;
    else if (Number.isFinite(Number(text))) state[name] = within(name, Number(text));
  }
  if (!COUNTS.includes(state.count)) state.count = DEFAULTS.count;
  return state;
}

export function within(name, number) {
  const [low, high] = LIMITS[name] ?? [-Infinity, Infinity];
  return Math.min(high, Math.max(low, number));
}

export function writeAddress(state) {
  const kept = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name]);
  const address = `#${new URLSearchParams(kept)}`;
  if (address !== (location.hash || "#")) history.replaceState(null, "", address);
}
