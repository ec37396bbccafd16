"""Exports a run's model for TF Serving: `python -m apps.export runs/cgan-mnist`."""

from pathlib import Path

import apps.quiet  # noqa: F401
from apps import console
from keras_gans import training

PROGRAM = "python -m apps.export"


def main(arguments=None):
    """Reads the options, exports the run's checkpoint, prints the version's folder."""
    parser = console.make_parser(
        PROGRAM, "Publishes a run's checkpoint as the newest version of EXPORT_DIR/VARIANT."
    )
    console.add_model(parser, "run", "folder of a run")
    parser.add_argument("--export-dir", type=str, default="saved_models", help="where exports go")
    options = console.parse(parser, arguments)
    variant = training.saved_settings(options.run)["variant"]
    model = training.load_run(options.run, options.checkpoint)
    print(model.export(Path(options.export_dir) / variant))


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
