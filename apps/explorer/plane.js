// A latent space of two dimensions: a plane to drag in, with codes of the prior as dots.

import { predict } from "./api.js";
import { address, show } from "./pictures.js";

const DOTS = 150;
const USUAL_REACH = 3; // standard deviations of a normal prior
const STEPS = 60; // of the arrow keys, from side to side
const LARGE = 5; // steps at once with Shift

export function makePlane(app) {
  const find = (id) => document.querySelector(id);
  const [section, area, map, point] = ["#plane", "#plane-area", "#plane-map", "#plane-point"].map(find);
  let reach = USUAL_REACH;
  let busy = false;
  let wanted = null; // asked for while an answer is on its way: only the last counts

  async function update() {
    const { plane, codes } = app.abilities;
    section.hidden = !plane;
    if (!plane) return;
    let dots = [];
    if (codes) {
      const seeds = Array.from({ length: DOTS }, (_, seed) => seed);
      const outputs = await predict(app.call(codes, app.rowsOf(codes, seeds)), codes);
      dots = outputs.latent;
    }
    const furthest = Math.max(...dots.flat().map(Math.abs), USUAL_REACH / 10);
    reach = dots.length ? 1.1 * furthest : USUAL_REACH;
    draw(dots);
    await decode(place(), false);
  }

  const place = () => [Number(app.state.x) || 0, Number(app.state.y) || 0];

  function draw(dots) {
    const scale = window.devicePixelRatio || 1;
    const size = map.clientWidth || 320;
    Object.assign(map, { width: size * scale, height: size * scale });
    const context = map.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    context.scale(scale, scale);
    context.strokeStyle = style.getPropertyValue("--line");
    context.beginPath();
    context.moveTo(size / 2, 0);
    context.lineTo(size / 2, size);
    context.moveTo(0, size / 2);
    context.lineTo(size, size / 2);
    context.stroke();
    context.fillStyle = style.getPropertyValue("--edge");
    for (const [x, y] of dots) {
      context.beginPath();
      context.arc(((x / reach + 1) * size) / 2, ((1 - y / reach) * size) / 2, 2, 0, 2 * Math.PI);
      context.fill();
    }
  }

  async function decode([x, y], asked = true) {
    const limited = [x, y].map((value) => Math.max(-reach, Math.min(reach, value)));
    [app.state.x, app.state.y] = limited.map((value) => value.toFixed(3));
    point.style.left = `${(limited[0] / reach + 1) * 50}%`;
    point.style.top = `${(1 - limited[1] / reach) * 50}%`;
    wanted = place();
    if (busy) return;
    busy = true;
    try {
      while (wanted) {
        const code = wanted;
        wanted = null;
        await showCode(code, asked);
      }
    } finally {
      busy = false;
    }
  }

  async function showCode(code, asked) {
    const { plane } = app.abilities;
    const inputs = { latent: [code], ...("label" in plane.inputs && { label: [app.label(app.state.seed)] }) };
    const outputs = await predict(app.call(plane, inputs), plane);
    const text = `(${code.map((value) => value.toFixed(2)).join(", ")})`;
    show(find("#plane-image"), address(outputs, 0), `Image of the code ${text}`);
    find("#plane-place").textContent = `Code ${text}`;
    if (asked) app.request(plane, inputs, `the code ${text}`);
  }

  const drag = (event) => {
    const box = area.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 2 - 1;
    const y = 1 - ((event.clientY - box.top) / box.height) * 2;
    app.attempt(() => decode([x * reach, y * reach]));
  };
  area.addEventListener("pointerdown", (event) => {
    area.setPointerCapture(event.pointerId);
    drag(event);
  });
  area.addEventListener("pointermove", (event) => {
    if (area.hasPointerCapture(event.pointerId)) drag(event);
  });
  area.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const step = ((2 * reach) / STEPS) * (event.shiftKey ? LARGE : 1);
    const [x, y] = place();
    app.attempt(() => decode([x + way[0] * step, y + way[1] * step]));
  });
  // The canvas is drawn in the colours of the scheme.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.attempt(update));
  return { update, moveTo: (code) => decode(code, false) };
}
