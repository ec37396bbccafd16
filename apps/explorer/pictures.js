// Images that come from the server, and pictures that go to it.

const SMALL_PX = 128; // up to here pixels are meant to be seen
const LONGEST_PX = 256; // sent to a model that takes any size
const MULTIPLE_PX = 4; // of which such a model takes sides
const SMALLEST_PX = 8;

/** The address of row `index` of outputs that hold `image_bytes` or floats in `image`. */
export function address(outputs, index) {
  if (outputs.image_bytes) return `data:image/png;base64,${outputs.image_bytes[index].b64}`;
  return addressOfFloats(outputs.image[index]);
}

function addressOfFloats(rows) {
  const [height, width, channels] = [rows.length, rows[0].length, rows[0][0].length];
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  rows.flat().forEach((values, index) => {
    for (let channel = 0; channel < 3; channel++)
      pixels.data[4 * index + channel] = Math.round((values[channel % channels] + 1) * 127.5);
    pixels.data[4 * index + 3] = 255;
  });
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

/** Shows an image, small ones with plain pixels. */
export function show(img, source, text) {
  img.onload = () =>
    img.classList.toggle("small-source", Math.max(img.naturalWidth, img.naturalHeight) <= SMALL_PX);
  img.src = source;
  if (text !== undefined) img.alt = text;
}

/** Makes of a file what a model takes: `{address, base64, floats}`. `shape` is [-1, h, w, c]. */
export async function prepare(file, [, height, width, channels], invert) {
  const bitmap = await createImageBitmap(file); // turned as the camera was held
  const fixed = height > 0 && width > 0;
  const [wide, high] = fixed ? [width, height] : fitting(bitmap.width, bitmap.height);
  const canvas = shrunk(bitmap, wide, high);
  const context = canvas.getContext("2d");
  const pixels = context.getImageData(0, 0, wide, high);
  const floats = recolour(pixels, channels, invert);
  context.putImageData(pixels, 0, 0);
  const source = canvas.toDataURL("image/png");
  return { address: source, base64: source.split(",")[1], floats };
}

function fitting(width, height) {
  const scale = Math.min(1, LONGEST_PX / Math.max(width, height));
  const side = (length) =>
    Math.max(SMALLEST_PX, Math.round((length * scale) / MULTIPLE_PX) * MULTIPLE_PX);
  return [side(width), side(height)];
}

/** The middle of a bitmap, of the wanted ratio, drawn at the wanted size. */
function shrunk(bitmap, width, height) {
  const scale = Math.min(bitmap.width / width, bitmap.height / height);
  let [left, top] = [(bitmap.width - width * scale) / 2, (bitmap.height - height * scale) / 2];
  let [wide, high, source] = [width * scale, height * scale, bitmap];
  // By halves: one step from a photo to 28 px would skip most of it.
  for (;;) {
    const [nextWide, nextHigh] = [Math.max(width, wide / 2), Math.max(height, high / 2)].map(Math.round);
    const canvas = new OffscreenCanvas(nextWide, nextHigh);
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff"; // under what is transparent
    context.fillRect(0, 0, nextWide, nextHigh);
    context.imageSmoothingQuality = "high";
    context.drawImage(source, left, top, wide, high, 0, 0, nextWide, nextHigh);
    [left, top, wide, high, source] = [0, 0, nextWide, nextHigh, canvas];
    if (nextWide === width && nextHigh === height) break;
  }
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(source, 0, 0);
  return canvas;
}

/** Changes pixels to what the model sees; returns them as floats [h][w][c] in [-1, 1]. */
function recolour({ data, width, height }, channels, invert) {
  const floats = Array.from({ length: height }, () => []);
  for (let index = 0; index < width * height; index++) {
    const at = 4 * index;
    let colour = [...data.slice(at, at + 3)];
    if (invert) colour = colour.map((value) => 255 - value);
    if (channels === 1) {
      const gray = Math.round(0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]);
      colour = [gray, gray, gray];
    }
    data.set(colour, at);
    const row = colour.slice(0, channels).map((value) => value / 127.5 - 1);
    floats[Math.floor(index / width)].push(row);
  }
  return floats;
}
