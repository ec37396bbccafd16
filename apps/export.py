"""Exports a run's model for TF Serving: `python -m apps.export runs/cgan-mnist`."""

import sys
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser

import apps.quiet  # noqa: F401
from apps import console
from keras_gans import training

PROGRAM = "python -m apps.export"


def main(arguments=None):
    """Reads the options, exports the run's checkpoint, prints the version's folder."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    variant = training.saved_settings(options.run)["variant"]
    model = training.load_run(options.run, options.checkpoint)
    print(model.export(Path(options.export_dir) / variant))


def _parse(arguments):
    parser = ArgumentParser(
        prog=PROGRAM,
        description="Publishes a run's checkpoint as the newest version of EXPORT_DIR/VARIANT.",
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument("run", type=str, help="folder of a run")
    parser.add_argument(
        "--checkpoint", type=Literal["best", "last"] | None, help=training.CHECKPOINT_HELP
    )
    parser.add_argument("--export-dir", type=str, default="saved_models", help="where exports go")
    return console.parse(parser, arguments)


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
