// A request of one row as commands and programs that can be pasted.

/** `call`: {model, version, signature, inputs: {name: value}, specs, outputs, file}. */
export function snippet(kind, call, server) {
  return { curl, python, grpc, javascript }[kind](call, server);
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const path = ({ model, version }) =>
  `/v1/models/${encodeURIComponent(model)}${version ? `/versions/${version}` : ""}:predict`;
const row = (inputs) => {
  const values = Object.entries(inputs).map(([k, v]) => `${JSON.stringify(k)}: ${literal(v)}`);
  return `{${values.join(", ")}}`;
};
const literal = (value) => JSON.stringify(value).replaceAll(",", ", ");
const isFile = (value) => typeof value === "object" && !Array.isArray(value);

function curl(call, server) {
  const name = JSON.stringify(call.signature);
  const url = quoted(server.rest + path(call));
  // An only output comes without its name.
  const image = Object.keys(call.outputs).length === 1 ? "" : '["image_bytes"]';
  const end = call.outputs.image_bytes
    ? ` |
  python3 -c 'import base64, json, sys; row = json.load(sys.stdin)["predictions"][0]
sys.stdout.buffer.write(base64.b64decode(row${image}["b64"]))' > image.png` : "";
  const [file] = Object.entries(call.inputs).filter(([, value]) => isFile(value));
  if (file) {
    // A base64 of an image is too long for a command line, not for a pipe.
    const [before, after] = [
      `{"signature_name": ${name}, "instances": [{"${file[0]}": {"b64": "`, `"}}]}`,
    ].map(quoted);
    return `{ printf %s ${before}; base64 < ${quoted(call.file)} | tr -d '\\n'; printf %s ${after}; } |
  curl -s -d @- ${url}${end}\n`;
  }
  const body = `{"signature_name": ${name}, "instances": [${row(call.inputs)}]}`;
  return `curl -s -d ${quoted(body)} \\\n  ${url}${end}\n`;
}

const read = (call) => `open(${JSON.stringify(call.file)}, "rb").read()`;
const pythonValue = (call, value) => (isFile(value) ? read(call) : literal(value));

function python(call, server) {
  const inputs = Object.entries(call.inputs).map(
    ([name, value]) => `${JSON.stringify(name)}: [${pythonValue(call, value)}]`,
  );
  const version = call.version ? `, version=${call.version}` : "";
  return `from keras_gans.serving import Client

client = Client(${JSON.stringify(server.rest)})
inputs = {${inputs.join(", ")}}
outputs = client.predict(${JSON.stringify(call.model)}, inputs, signature=${JSON.stringify(call.signature)}${version})
${call.outputs.image_bytes
    ? 'open("image.png", "wb").write(outputs["image_bytes"][0])'
    : 'image = outputs["image"][0]  # float32 [height, width, channels] in [-1, 1]'}
`;
}

const DTYPES = { DT_INT32: "tf.int32", DT_FLOAT: "tf.float32", DT_STRING: "tf.string" };

function grpc(call, server) {
  const inputs = Object.entries(call.inputs).map(([name, value]) => {
    const dtype = DTYPES[call.specs[name].dtype] ?? "None";
    return `request.inputs[${JSON.stringify(name)}].CopyFrom(tf.make_tensor_proto([${pythonValue(call, value)}], ${dtype}))`;
  });
  const version = call.version ? `\nrequest.model_spec.version.value = ${call.version}` : "";
  return `import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

request = predict_pb2.PredictRequest()
request.model_spec.name = ${JSON.stringify(call.model)}${version}
request.model_spec.signature_name = ${JSON.stringify(call.signature)}
${inputs.join("\n")}
with grpc.insecure_channel(${JSON.stringify(server.grpc)}) as channel:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    outputs = stub.Predict(request, timeout=30).outputs
${call.outputs.image_bytes
    ? 'open("image.png", "wb").write(tf.make_ndarray(outputs["image_bytes"])[0])'
    : 'image = tf.make_ndarray(outputs["image"])[0]  # float32 [height, width, channels] in [-1, 1]'}
`;
}

function javascript(call, server) {
  const values = Object.entries(call.inputs).map(
    ([name, value]) => `${JSON.stringify(name)}: [${isFile(value) ? "{ b64: file }" : literal(value)}]`,
  );
  const file = Object.values(call.inputs).some(isFile)
    ? `import { readFile } from "node:fs/promises";\n\nconst file = (await readFile(${JSON.stringify(call.file)})).toString("base64");\n` : "";
  const only = Object.keys(call.outputs).length === 1;
  const rows = (name) => (only ? "outputs" : `outputs.${name}`);
  return `${file}const response = await fetch(${JSON.stringify(server.rest + path(call))}, {
  method: "POST",
  body: JSON.stringify({
    signature_name: ${JSON.stringify(call.signature)},
    inputs: { ${values.join(", ")} },
  }),
});
const { outputs, error } = await response.json();
if (!response.ok) throw new Error(error);
${call.outputs.image_bytes
    ? `const source = \`data:image/png;base64,\${${rows("image_bytes")}[0].b64}\`; // of an <img>`
    : `const image = ${rows("image")}[0]; // [height][width][channels], from -1 to 1`}
`;
}
