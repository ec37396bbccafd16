// The server's REST routes, as TF Serving has them, and the two ways in which a request fails.

const PATIENCE_MS = 30_000;

/** No server, or one that cannot serve now: it may come back. */
export class Away extends Error {}

/** The server understood and refuses, or takes too long: asking again would not help. */
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
  } catch (error) {
    if (body && error.name === "TimeoutError") throw new Refused(`it takes longer than ${PATIENCE_MS / 1000} s`);
    throw new Away("The server does not answer.");
  }
  let answer = null;
  try {
    answer = JSON.parse(words);
  } catch { /* not from TF Serving, as the page of a proxy */ }
  if (response.ok && answer !== null) return answer;
  const reason = answer?.error ?? (words.trim().slice(0, 300) || `status ${response.status}`);
  const tooLong = body && response.status === 504; // what was asked for, not the server
  if (response.status >= 502 && response.status <= 504 && !tooLong) throw new Away(reason);
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

const mostRows = {}; // of a request, by place: known once more were refused

/**
 * Runs `call`, `{model, version, signature, inputs}` of columns; returns columns by name. Asks in
 * pieces of as many rows as the export takes.
 */
export async function predict(call, signature) {
  const rows = Object.values(call.inputs)[0].length;
  const where = place(call.model, call.version);
  const most = Math.min(rows, mostRows[where] ?? rows);
  const pieces = [];
  try {
    for (let first = 0; first < rows; first += most) {
      const columns = Object.entries(call.inputs);
      const inputs = columns.map(([name, values]) => [name, values.slice(first, first + most)]);
      pieces.push(await predictOnce({ ...call, inputs: Object.fromEntries(inputs) }, signature));
    }
  } catch (error) {
    const told = Number(/at most (\d+) rows/.exec(error.message)?.[1]);
    if (!(error instanceof Refused) || !(told > 0 && told < most)) throw error;
    mostRows[where] = told;
    return predict(call, signature);
  }
  const names = Object.keys(signature.outputs);
  return Object.fromEntries(names.map((name) => [name, pieces.flatMap((piece) => piece[name])]));
}

async function predictOnce({ model, version, signature, inputs }, { outputs: names }) {
  const body = { signature_name: signature, inputs };
  const { outputs } = await ask(`${place(model, version)}:predict`, body);
  const known = Object.keys(names);
  // An only output comes without its name.
  return known.length === 1 ? { [known[0]]: outputs } : outputs;
}
