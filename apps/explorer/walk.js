// The way between two chosen images: a strip, a position, and one frame large.

import { predict } from "./api.js";
import { address, show } from "./pictures.js";

const FRAMES = 15;
const FRAME_MS = 160;

export function makeWalk(app) {
  const find = (id) => document.querySelector(id);
  const [section, strip, slider, image] = ["#walk", "#walk-strip", "#walk-position", "#walk-image"].map(find);
  const play = find("#walk-play");
  let turn = 0;
  let frames = [];
  let timer = null;
  slider.max = FRAMES - 1;

  const fractions = Array.from({ length: FRAMES }, (_, index) => index / (FRAMES - 1));
  const ends = () => [Number(app.state.a), Number(app.state.b)];

  async function update() {
    const { walk } = app.abilities;
    const able = walk && app.state.a !== "" && app.state.b !== "";
    section.hidden = !able;
    const mine = ++turn;
    if (!able) return stop();
    const changes = app.className(ends()[0]) !== app.className(ends()[1]);
    find("#walk-ends").textContent =
      `From ${app.describe(ends()[0])} to ${app.describe(ends()[1])}${changes ? "; the class changes half-way" : ""}`;
    const outputs = await predict(app.call(walk, app.walkRows(ends(), fractions)), walk);
    if (mine !== turn) return;
    frames = fractions.map((_, index) => address(outputs, index));
    while (strip.children.length < FRAMES) strip.append(document.createElement("img"));
    frames.forEach((source, index) => show(strip.children[index], source, ""));
    move(app.state.step);
  }

  function move(step) {
    app.state.step = Math.max(0, Math.min(FRAMES - 1, step));
    slider.value = app.state.step;
    const percent = `${Math.round(100 * fractions[app.state.step])} %`;
    slider.setAttribute("aria-valuetext", percent);
    find("#walk-value").textContent = percent;
    if (frames.length) show(image, frames[app.state.step], `${percent} of the way`);
    [...strip.children].forEach((img, i) => img.classList.toggle("current", i === app.state.step));
    const [a, b] = ends();
    app.request(
      app.abilities.walk,
      app.walkRows([a, b], [fractions[app.state.step]]),
      `${percent} of the way from ${app.describe(a)} to ${app.describe(b)}`,
    );
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.setAttribute("aria-pressed", "false");
    play.textContent = "Play";
  }

  function start() {
    let direction = app.state.step === FRAMES - 1 ? -1 : 1;
    timer = setInterval(() => {
      if (app.state.step + direction < 0 || app.state.step + direction >= FRAMES) direction = -direction;
      move(app.state.step + direction);
    }, FRAME_MS);
    play.setAttribute("aria-pressed", "true");
    play.textContent = "Stop";
  }

  slider.addEventListener("input", () => { stop(); move(Number(slider.value)); });
  play.addEventListener("click", () => (timer === null ? start() : stop()));
  find("#walk-clear").addEventListener("click", () => {
    Object.assign(app.state, { a: "", b: "", step: 0 });
    app.chosen();
    document.querySelector("#grid [tabindex='0']")?.focus();
  });
  return { update };
}
