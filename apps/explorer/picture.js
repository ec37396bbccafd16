// A picture of the reader's own, dropped, pasted, chosen or photographed, through the model.

import { predict } from "./api.js";
import { address, prepare, show } from "./pictures.js";

export function makePicture(app) {
  const find = (id) => document.querySelector(id);
  const [section, drop, task, invert] = ["#picture", "#drop", "#task", "#invert"].map(find);
  let file = null;

  const chosen = () => app.abilities.tasks.find(({ name }) => name === task.value);

  async function update() {
    const { tasks } = app.abilities;
    section.hidden = !tasks.length;
    if (!tasks.length) return;
    const wanted = tasks.some(({ name }) => name === app.state.task) ? app.state.task : tasks[0].name;
    task.replaceChildren(...tasks.map(({ name, text }) => new Option(text, name)));
    task.value = wanted;
    invert.checked = Boolean(app.state.invert);
    find("#task-field").hidden = tasks.length < 2;
    if (file) await send();
  }

  async function send() {
    if (!chosen()) return; // another model is being opened: update sends then
    const { shape, text, ...signature } = chosen();
    const encoded = "image_bytes" in signature.inputs;
    let picture;
    try {
      picture = await prepare(file, shape, invert.checked);
    } catch {
      app.notice(`${file.name || "This"} is not an image that this browser can read.`);
      return;
    }
    find("#results").hidden = false;
    show(find("#sent"), picture.address);
    find("#answer").removeAttribute("src");
    find("#answer-caption").textContent = "Working";
    const input = encoded ? { image_bytes: [{ b64: picture.base64 }] } : { image: [picture.floats] };
    const outputs = await predict(app.call(signature, input), signature);
    show(find("#answer"), address(outputs, 0), `${text}: the model's answer`);
    find("#answer-caption").textContent = text;
    app.say(`${text}: done`);
    const [, height, width] = shape;
    const size = height > 0 ? ` of ${width} x ${height} pixels` : ", whose sides are multiples of 4";
    if (encoded) app.request(signature, input, `a PNG or JPEG file${size}`, "picture.png");
    const { encode, plane } = app.abilities;
    if (encode && plane) {
      const { latent } = await predict(app.call(encode, { image_bytes: [{ b64: picture.base64 }] }), encode);
      await app.moveTo(latent[0]);
    }
  }

  function take(given) {
    if (!given) return;
    file = given;
    app.attempt(send);
  }

  find("#camera").hidden = navigator.maxTouchPoints === 0; // what has no touch has no camera to hold
  for (const [button, input] of [["#choose", "#file"], ["#camera", "#capture"]]) {
    find(button).addEventListener("click", () => find(input).click());
    find(input).addEventListener("change", (event) => {
      take(event.target.files[0]);
      event.target.value = ""; // so that the same file can be chosen again
    });
  }
  task.addEventListener("change", () => app.change({ task: task.value }, update));
  invert.addEventListener("change", () => app.change({ invert: Number(invert.checked) }, update));

  // A file that misses the field must not take the page's place.
  for (const kind of ["dragover", "drop"])
    document.addEventListener(kind, (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    if (!section.hidden) take(event.dataTransfer.files[0]);
  });
  document.addEventListener("dragover", () => drop.classList.add("over"));
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  document.addEventListener("paste", (event) => {
    if (!section.hidden) take([...event.clipboardData.files].find(({ type }) => type.startsWith("image/")));
  });
  return { update };
}
