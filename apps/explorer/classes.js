// The names of a model's classes, in the order of labels.

import { predict } from "./api.js";

/** As the export itself has them; of one from before it did, as its notes have them. */
export async function classNames(app) {
  const { names } = app.abilities;
  if (!names) return app.server.class_names[app.state.model] ?? ["0"];
  const outputs = await predict(app.call(names, { label: [0] }), names);
  return outputs.class_names[0];
}
