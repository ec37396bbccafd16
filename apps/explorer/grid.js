// The grid of images: arrow keys move in it, Enter chooses, two that are chosen can be walked between.

import { predict } from "./api.js";
import { address, show } from "./pictures.js";
import { within } from "./state.js";

export function makeGrid(app) {
  const section = document.querySelector("#images");
  const grid = document.querySelector("#grid");
  let turn = 0;
  let current = 0; // the one cell that Tab reaches

  async function update() {
    const { make } = app.abilities;
    section.hidden = !make;
    if (!make) return;
    const seeds = app.seeds();
    const mine = ++turn;
    grid.setAttribute("aria-busy", "true");
    try {
      const outputs = await predict(app.call(make, app.rowsOf(make, seeds)), make);
      if (mine !== turn) return;
      seeds.forEach((seed, index) => fill(cell(index), seed, address(outputs, index)));
      while (grid.children.length > seeds.length) grid.lastChild.remove();
      focusable(Math.min(current, seeds.length - 1));
    } finally {
      if (mine === turn) grid.setAttribute("aria-busy", "false");
    }
    mark();
  }

  function cell(index) {
    if (grid.children[index]) return grid.children[index];
    const button = Object.assign(document.createElement("button"), { type: "button", className: "cell" });
    button.innerHTML = '<img alt=""><span class="caption"><b></b><span></span></span>';
    return grid.appendChild(button);
  }

  function fill(button, seed, source) {
    const name = app.className(seed);
    button.dataset.seed = seed;
    show(button.querySelector("img"), source);
    button.querySelector("b").textContent = name ?? "";
    button.querySelector(".caption span").textContent = seed;
    button.setAttribute("aria-label", name === null ? `Seed ${seed}` : `Class ${name}, seed ${seed}`);
  }

  function mark() {
    const chosen = [app.state.a, app.state.b];
    for (const button of grid.children)
      button.setAttribute("aria-pressed", chosen.includes(button.dataset.seed));
  }

  function focusable(index) {
    current = Math.max(0, index);
    [...grid.children].forEach((button, i) => { button.tabIndex = i === current ? 0 : -1; });
  }

  function choose(seed) {
    const { a, b } = app.state;
    let chosen = [a, b].filter(Boolean);
    chosen = chosen.includes(seed) ? chosen.filter((other) => other !== seed) : [...chosen, seed].slice(-2);
    [app.state.a, app.state.b] = [chosen[0] ?? "", chosen[1] ?? ""];
    app.state.step = 0;
    app.request(app.abilities.make, app.rowsOf(app.abilities.make, [Number(seed)]), describe(seed));
    mark();
    app.chosen();
  }

  const describe = (seed) => {
    const name = app.className(Number(seed));
    return name === null ? `seed ${seed}` : `class ${name}, seed ${seed}`;
  };

  function columns() {
    return getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  }

  grid.addEventListener("click", (event) => {
    const button = event.target.closest(".cell");
    if (!button) return;
    focusable([...grid.children].indexOf(button));
    choose(button.dataset.seed);
  });
  grid.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns() };
    const last = grid.children.length - 1;
    const to = { Home: 0, End: last }[event.key] ?? current + (steps[event.key] ?? NaN);
    if (Number.isNaN(to)) return;
    event.preventDefault();
    if (to < 0 || to > last) return;
    focusable(to);
    grid.children[to].focus();
  });
  for (const [id, step] of [["#back", -1], ["#next", 1]])
    document.querySelector(id).addEventListener("click", () =>
      app.change({ seed: within("seed", app.state.seed + step * app.count()) }));
  document.querySelector("#random").addEventListener("click", () =>
    app.change({ seed: Math.floor(Math.random() * 2 ** 20) }));

  return { update, mark, describe };
}
