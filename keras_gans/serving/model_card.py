"""The model card that lies in an export: what it is, where it comes from, how to ask it."""

from keras_gans.errors import InputError, shape_text

UNKNOWN = "unknown"
FIELDS = {
    "model": "Model",
    "run": "Run",
    "checkpoint": "Checkpoint",
    "data": "Data",
    "data_licence": "Licence of the data",
    "scores": "Scores",
}


def complete(card, model):
    """Fills in `unknown` where a card says nothing; returns a dict with all of its fields.

    Args:
        card: None, or a dict of `run`, `checkpoint` (which one, after how many steps), `data`,
            `data_licence`, all text, and `scores`, `{metric, named by its protocol: number}`.
        model: Name of the model's class.

    Raises:
        InputError: If a score is no number, or another field no text.
    """
    card = {**dict.fromkeys(FIELDS, UNKNOWN), "model": model, **(card or {})}
    for field, value in card.items():
        try:
            if isinstance(value, dict):
                card[field] = {name: float(number) for name, number in value.items()}
        except (TypeError, ValueError) as error:
            raise InputError(f"card: {field} must be numbers by name. Received: {value}") from error
        if not isinstance(value, dict | str):
            raise InputError(f"card: {field} must be text. Received: {value!r}")
    return card


def write_card(notes):
    """Returns the card as Markdown, of an export's notes."""
    card = notes["card"]
    lines = [f"# {card['model']}", ""]
    for field, title in FIELDS.items():
        value = card[field]
        if isinstance(value, dict):
            value = ", ".join(f"{name} {number:g}" for name, number in value.items()) or UNKNOWN
        lines.append(f"- {title}: {' '.join(str(value).split())}")
    limits = notes["limits"]
    lines.append(
        f"- Limits of a request: {limits['rows']} rows, {limits['pixels']} pixels of its images"
    )
    if notes["class_names"]:
        names = ", ".join(f"{label} {name}" for label, name in enumerate(notes["class_names"]))
        lines.append(f"- Labels: {' '.join(names.split())}")
    lines += [
        *("", "## Signatures", "", "| Signature | Inputs | Outputs |", "| --- | --- | --- |"),
    ]
    for name, signature in sorted(notes["signatures"].items()):
        inputs, outputs = (
            ", ".join(
                f"`{key} {spec['dtype']} {shape_text(spec['shape'])}`"
                for key, spec in signature[side].items()
            )
            for side in ("inputs", "outputs")
        )
        lines.append(f"| `{name}` | {inputs} | {outputs} |")
    lines += [
        *("", "## How to ask", ""),
        "REST: `POST /v1/models/NAME:predict` with",
        '`{"signature_name": ..., "instances": [{...}]}`, a dictionary of inputs a row.',
        "gRPC: `PredictionService.Predict` of TensorFlow Serving.",
        "Images are float32 in [-1, 1], of bytes `byte / 127.5 - 1`; `..._bytes` are PNG files, in",
        'JSON as `{"b64": ...}`.',
    ]
    return "\n".join(lines) + "\n"
