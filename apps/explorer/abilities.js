// What a model can do, read from the inputs and outputs of its signatures.

const MAKING = new Set(["seed", "label", "truncation"]);

const all = (tensors, names) => Object.keys(tensors).every((name) => names.has(name));
const pictures = ({ outputs }) => "image_bytes" in outputs || "image" in outputs;
/** An answer of files alone is the smallest; floats beside them only cost. */
const lightness = ({ outputs }) => ("image_bytes" in outputs ? 2 : 0) - ("image" in outputs ? 1 : 0);

/** The signature with the highest score of those that fit, `{name, inputs, outputs}`, or null. */
function best(named, fits, score = lightness) {
  const fitting = named.filter((signature) => pictures(signature) && fits(signature));
  return fitting.sort((a, b) => score(b) - score(a))[0] ?? null;
}

export function abilities(signatures) {
  const named = Object.entries(signatures).map(([name, signature]) => ({ name, ...signature }));
  const make = best(
    named,
    ({ inputs }) => "seed" in inputs && all(inputs, MAKING),
    (signature) => lightness(signature) + ("truncation" in signature.inputs ? 4 : 0),
  );
  const decode = best(
    named,
    ({ inputs }) => "latent" in inputs && all(inputs, new Set(["latent", "label"])),
  );
  const walk = named.find(({ name }) => name === "walk") ?? null;
  return {
    make,
    walk,
    plane: decode?.inputs.latent.shape[1] === 2 ? decode : null,
    codes: best(named, ({ inputs, outputs }) => "seed" in inputs && "latent" in outputs && all(inputs, MAKING)),
    encode: named.find(({ name }) => name === "encode_bytes") ?? null,
    tasks: tasks(named),
    names: named.find(({ name }) => name === "class_names") ?? null,
    labels: [make, decode].some((signature) => signature && "label" in signature.inputs),
  };
}

/**
 * Signatures that turn a picture into a picture, one a task, the lightest of those that take files.
 * `shape`, [-1, h, w, c], is that of the pixels; sides that are open are -1.
 */
function tasks(named) {
  const found = {};
  for (const signature of named) {
    const [input, ...others] = Object.keys(signature.inputs);
    const task = signature.name.replace(/_(bytes|png)$/, "");
    if (others.length || !pictures(signature) || task === "serving_default") continue;
    found[task] ??= { files: [] };
    if (input === "image") found[task].floats = signature;
    if (input === "image_bytes") found[task].files.push(signature);
  }
  return Object.entries(found)
    .filter(([, { floats }]) => floats)
    .sort(([a], [b]) => (a < b ? -1 : 1)) // a server describes them in any order
    .map(([task, { floats, files }]) => {
      const { shape } = floats.inputs.image;
      return { text: words(task), shape, ...(best(files, () => true) ?? floats) };
    });
}

function words(task) {
  const text = task.replace(/^translate_/, "").replaceAll("_", " ");
  return text.replace(/\b[xy]\b/g, (letter) => letter.toUpperCase()).replace(/^./, (c) => c.toUpperCase());
}
