// The server's REST routes, as TF Serving has them, and the two ways in which a request fails.

const PATIENCE_MS = 30_000;

/** No server, or one that cannot serve now: it may come back. */
export class Away extends Error {}

/** The server understood and refuses: asking again would not help. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function ask(path, body) {
  const options = { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" };
  if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  let response, words;
  try {
    response = await fetch(path, options);
    words = await response.text(); // which may break off too
  } catch {
    throw new Away("The server does not answer.");
  }
  let answer = null;
  try {
    answer = JSON.parse(words);
  } catch { /* not from TF Serving, as the page of a proxy */ }
  if (response.ok && answer !== null) return answer;
  const reason = answer?.error ?? (words.trim().slice(0, 300) || `status ${response.status}`);
  if (response.status >= 502 && response.status <= 504) throw new Away(reason);
  throw new Refused(reason, response.status);
}

const place = (model, version) =>
  `v1/models/${encodeURIComponent(model)}${version ? `/versions/${version}` : ""}`;

/** What this page was started with: `{models, rest, grpc, class_names}`. */
export const server = () => ask("server.json");

/** A model's versions, newest first, `[{version, state}]`. */
export async function versions(model) {
  const { model_version_status: statuses } = await ask(place(model));
  return statuses
    .map(({ version, state }) => ({ version: String(version), state }))
    .sort((a, b) => Number(b.version) - Number(a.version));
}

/** `{signature: {inputs: {name: {dtype, shape}}, outputs: alike}}`; open sides are -1. */
export async function signatures(model, version) {
  const { metadata } = await ask(`${place(model, version)}/metadata`);
  const found = {};
  for (const [name, signature] of Object.entries(metadata.signature_def.signature_def)) {
    if (name.startsWith("__")) continue;
    found[name] = { inputs: tensors(signature.inputs), outputs: tensors(signature.outputs) };
  }
  return found;
}

function tensors(described) {
  const found = {};
  for (const [name, { dtype, tensor_shape: shape }] of Object.entries(described ?? {}))
    found[name] = { dtype, shape: (shape.dim ?? []).map((side) => Number(side.size)) };
  return found;
}

/** Runs `call`, `{model, version, signature, inputs}` of columns; returns columns by name. */
export async function predict({ model, version, signature, inputs }, { outputs: names }) {
  const body = { signature_name: signature, inputs };
  const { outputs } = await ask(`${place(model, version)}:predict`, body);
  const known = Object.keys(names);
  // An only output comes without its name.
  return known.length === 1 ? { [known[0]]: outputs } : outputs;
}
