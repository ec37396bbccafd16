// The page: reads what the server has, shows what the chosen model can do, keeps the address.

import { abilities } from "./abilities.js";
import { Away, Refused, server, signatures, versions } from "./api.js";
import { classNames } from "./classes.js";
import { makeCode } from "./code.js";
import { makeGrid } from "./grid.js";
import { makePicture } from "./picture.js";
import { makePlane } from "./plane.js";
import { CUTS_NOTHING, NONE, SEEDS, readAddress, within, writeAddress } from "./state.js";
import { makeWalk } from "./walk.js";

const POLL_MS = 4000;
const POLL_AWAY_MS = 1000;
const TYPING_MS = 250;

const find = (id) => document.querySelector(id);
const app = {
  state: readAddress(),
  server: null, // what server.json says
  abilities: {},
  classes: null, // names by label, or null
  shown: null, // the version that the page shows, where the newest is followed
  known: "", // the versions at the last look
  away: false,
};

// What the panels ask of the page ---------------------------------------------------------------

/** As many as were asked for; of classes in turn so many more that each has as many as another. */
app.count = () => {
  const { count } = app.state;
  const classes = app.state.class === "" ? (app.classes?.length ?? 1) : 1;
  return classes <= count ? Math.ceil(count / classes) * classes : count;
};
app.seeds = () => Array.from({ length: app.count() }, (_, index) => app.state.seed + index);
app.label = (seed) => (app.state.class === "" ? seed % app.classes.length : Number(app.state.class));
app.className = (seed) => (app.classes ? app.classes[app.label(seed)] : null);

/** The inputs of a signature for an image a seed, as columns. */
app.rowsOf = ({ inputs }, seeds) => ({
  seed: seeds,
  ...("label" in inputs && { label: seeds.map(app.label) }),
  ...("truncation" in inputs && { truncation: seeds.map(() => (app.state.truncation === NONE ? CUTS_NOTHING : app.state.truncation)) }),
});
/** The inputs of a walk between two seeds, a row a position from 0 to 1. */
app.walkRows = ([from, to], positions) => {
  const rows = app.rowsOf(app.abilities.walk, positions.map(() => from));
  // A row has one class: where the two differ, it changes half-way.
  if (rows.label) rows.label = positions.map((position) => app.label(position < 0.5 ? from : to));
  return { ...rows, seed_to: positions.map(() => to), position: positions };
};
app.call = ({ name }, inputs) => ({
  model: app.state.model, version: app.state.version, signature: name, inputs,
});
/** Keeps the request that the code is of, `inputs` being columns of one row. */
app.request = (signature, inputs, text, file) => {
  const row = Object.fromEntries(Object.entries(inputs).map(([name, [value]]) => [name, value]));
  const { inputs: specs, outputs } = signature;
  code.show({ ...app.call(signature, row), specs, outputs, file }, text);
  writeAddress(app.state);
};
app.describe = (seed) => grid.describe(seed);
app.moveTo = (code) => plane.moveTo(code);
app.chosen = () => {
  grid.mark();
  help();
  writeAddress(app.state);
  app.attempt(walk.update);
};
app.change = (changes, update = refresh) => {
  Object.assign(app.state, changes);
  writeAddress(app.state);
  fillControls();
  app.attempt(update);
};
app.notice = (text) => {
  find("#notice").textContent = text;
  find("#notice").hidden = !text;
};
app.say = (text) => { find("#said").textContent = text; };

/** Runs what asks the server, and says what went wrong. */
app.attempt = async (work) => {
  try {
    app.notice("");
    await work();
  } catch (error) {
    if (error instanceof Away) lose(error);
    else if (error instanceof Refused) app.notice(`The server refuses this: ${error.message}`);
    else throw error;
  }
};

const code = makeCode(app);
const grid = makeGrid(app);
const walk = makeWalk(app);
const plane = makePlane(app);
const picture = makePicture(app);

// The server ------------------------------------------------------------------------------------

function lose({ message }) {
  app.away = true;
  find("#server").className = "lost";
  find("#server-text").textContent = "Server away";
  const sentence = message[0].toUpperCase() + message.slice(1).replace(/\.?$/, ".");
  const text = `${sentence} This page tries again every second and keeps your view.`;
  if (find("#away").textContent !== text) find("#away").textContent = text;
  find("#away").hidden = false;
}

function found() {
  if (app.away) app.say("The server is back.");
  app.away = false;
  find("#server").className = "ready";
  find("#server-text").textContent = app.server.rest.replace(/^https?:\/\//, "");
  find("#away").hidden = true;
}

let looking = Promise.resolve();
/** One look after another: what the reader changes meanwhile must not be mixed with it. */
function look() {
  looking = looking.catch(() => {}).then(lookOnce);
  return looking;
}

/** Looks for the server and for versions that came or went; all is shown again if they did. */
async function lookOnce() {
  const wasAway = app.away;
  app.server = await server();
  const models = app.server.models;
  if (!models.length) return app.notice("The server has no model yet: train one, such as with make train-cgan.");
  if (!models.includes(app.state.model)) app.state.model = models[0];
  const available = (await versions(app.state.model)).filter(({ state }) => state === "AVAILABLE");
  const known = JSON.stringify([models, app.state.model, available]);
  found();
  if (known === app.known && !wasAway) return;
  if (!available.length) throw new Away(`No version of ${app.state.model} is available.`);
  try {
    await open(available.map(({ version }) => version));
  } catch (error) {
    if (error instanceof Refused) app.known = known;
    throw error;
  }
  app.known = known; // only once it is shown or refused: else the next look tries again
}

async function open(numbers) {
  if (app.state.version && !numbers.includes(app.state.version)) {
    app.say(`Version ${app.state.version} is not available: this is the newest.`);
    app.state.version = "";
  }
  const newest = app.state.version || numbers[0];
  if (app.shown !== null && app.shown !== newest) app.say(`Now showing version ${newest}.`);
  app.shown = newest;
  const known = await signatures(app.state.model, app.state.version);
  app.abilities = abilities(known);
  app.classes = app.abilities.labels ? await classNames(app) : null;
  if (app.classes && Number(app.state.class) >= app.classes.length) app.state.class = "";
  fillChoices(numbers);
  await refresh();
}

async function poll() {
  if (!document.hidden) {
    try {
      await look();
    } catch (error) {
      if (error instanceof Away) lose(error);
      else if (error instanceof Refused) refuse(error);
      else throw error;
    } finally {
      setTimeout(poll, app.away ? POLL_AWAY_MS : POLL_MS);
    }
  } else setTimeout(poll, POLL_AWAY_MS);
}

function refuse({ status, message }) {
  if (status === 404) lose(new Away(`The server does not serve ${app.state.model} now.`));
  else app.notice(`The server refuses this: ${message}`);
}

async function refresh() {
  app.state.seed = Math.min(app.state.seed, SEEDS - app.count());
  writeAddress(app.state);
  fillControls();
  help();
  let refused = null;
  for (const update of [grid.update, showRequest, walk.update, plane.update, picture.update]) {
    try {
      await update();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused ??= error; // the others are shown all the same
    }
  }
  if (refused) throw refused;
}

function showRequest() {
  const { make } = app.abilities;
  if (!make) return;
  const seed = Number(app.state.a || app.state.seed);
  app.request(make, app.rowsOf(make, [seed]), grid.describe(seed));
}

// The controls ----------------------------------------------------------------------------------

function help() {
  const { a, b } = app.state;
  const chosen = [a, b].filter(Boolean).length;
  const words = ["Choose two to walk between them.", "Choose one more to walk to.", "Choose another to walk there."];
  const choice = app.abilities.walk ? words[chosen] : "Choose one to see how to ask for it.";
  const caption = app.classes ? "its class and its seed" : "its seed";
  find("#images-help").textContent = `${choice} Under each image: ${caption}.`;
}

function fillChoices(numbers) {
  const { state } = app;
  find("#model").replaceChildren(...app.server.models.map((name) => new Option(name, name)));
  const newest = new Option(`Newest (${numbers[0]})`, "");
  find("#version").replaceChildren(newest, ...numbers.map((number) => new Option(number, number)));
  find("#version-time").textContent = when(app.shown);
  const classes = app.classes ?? [];
  find("#class").replaceChildren(
    new Option("Every class in turn", ""), ...classes.map((name, label) => new Option(name, label)),
  );
  find("#class-field").hidden = !app.classes;
  for (const id of ["#seed-field", "#count-field"]) find(id).hidden = !app.abilities.make;
  find("#truncation-field").hidden = !("truncation" in (app.abilities.make?.inputs ?? {}));
  find("#code").hidden = true; // until something is asked for
  document.title = `${state.model} · Explorer`;
  fillControls();
}

function fillControls() {
  const { state } = app;
  for (const name of ["model", "version", "class", "seed", "count", "truncation"])
    if (document.activeElement !== find(`#${name}`) || name !== "seed") find(`#${name}`).value = state[name];
  showTruncation(state.truncation);
}

function showTruncation(value) {
  const text = value === NONE ? "none" : value.toFixed(1);
  find("#truncation-value").textContent = text;
  find("#truncation").setAttribute("aria-valuetext", text);
}

/** When a version was exported, if its number is a time in seconds. */
function when(number) {
  const seconds = Number(number);
  if (seconds < 1e9 || seconds > 1e10) return "";
  return `Exported ${new Date(seconds * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`;
}

let typing = null;
function changeSoon(changes) {
  clearTimeout(typing);
  typing = setTimeout(() => app.change(changes), TYPING_MS);
}

find("#model").addEventListener("change", (event) => {
  const kept = { code: app.state.code };
  history.replaceState(null, "", "#");
  app.state = { ...readAddress(), ...kept, model: event.target.value };
  app.shown = null;
  app.known = "";
  app.attempt(look);
});
find("#version").addEventListener("change", (event) => {
  app.state.version = event.target.value;
  app.known = "";
  app.attempt(look);
});
find("#class").addEventListener("change", (event) => app.change({ class: event.target.value }));
find("#count").addEventListener("change", (event) => app.change({ count: Number(event.target.value) }));
find("#seed").addEventListener("input", ({ target }) => {
  if (target.value !== "" && target.validity.valid) changeSoon({ seed: within("seed", Number(target.value)) });
});
find("#seed").addEventListener("blur", fillControls);
find("#truncation").addEventListener("input", (event) => {
  showTruncation(Number(event.target.value));
  changeSoon({ truncation: Number(event.target.value) });
});
find("#controls").addEventListener("submit", (event) => event.preventDefault());
find("#link").addEventListener("click", (event) => code.copy(location.href, event.target));
addEventListener("hashchange", () => {
  app.state = readAddress();
  app.known = "";
  app.attempt(look);
});

poll();
