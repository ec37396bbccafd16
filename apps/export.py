"""Exports a run's model for TF Serving: `python -m apps.export runs/cgan-mnist`."""

from pathlib import Path
from typing import Literal

import apps.quiet  # noqa: F401  # isort: skip
from jsonargparse.typing import PositiveInt

from apps import console
from keras_gans import training
from keras_gans.errors import InputError
from keras_gans.serving import Limits
from keras_gans.serving.network_file import write_network

PROGRAM = "python -m apps.export"


def main(arguments=None):
    """Reads the options, exports the run's checkpoint, prints the version's folder."""
    parser = console.make_parser(
        PROGRAM, "Publishes a run's checkpoint as the newest version of EXPORT_DIR/VARIANT."
    )
    console.add_model(parser, "run", "folder of a run")
    add = parser.add_argument
    add("--export-dir", type=str, default="saved_models", help="where exports go")
    text = "how many of the newest versions stay; the older ones are removed (default: all)"
    add("--keep", type=PositiveInt | None, help=text)
    limits = Limits()
    add("--max-rows", type=PositiveInt, default=limits.rows, help="rows that a request may have")
    text = "pixels that the images of a request may have together"
    add("--max-pixels", type=PositiveInt, default=limits.pixels, help=text)
    text = "licence of the data, for the model card (default: unknown)"
    add("--data-licence", type=str | None, help=text)
    text = "saved_model, or the network alone as a file EXPORT_DIR/VARIANT.onnx or .tflite"
    formats = Literal["saved_model", "onnx", "litert"]
    add("--format", type=formats, default="saved_model", help=text)
    options = console.parse(parser, arguments)
    if options.format != "saved_model":
        for name in ("keep", "max_rows", "max_pixels", "data_licence"):
            if options[name] != parser.get_default(name):
                flag = name.replace("_", "-")
                raise InputError(
                    f"--{flag} is for a SavedModel: leave it out, or --format {options.format}"
                )
    variant = training.saved_settings(options.run)["variant"]
    model = training.load_run(options.run, options.checkpoint)
    if options.format != "saved_model":
        print(write_network(model, Path(options.export_dir) / variant, options.format))
        return
    card = training.model_card(options.run, model, options.checkpoint, options.data_licence)
    version = model.export(
        Path(options.export_dir) / variant,
        limits=Limits(options.max_rows, options.max_pixels),
        card=card,
        keep=options.keep,
    )
    print(version)


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
