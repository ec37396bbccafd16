"""Trains a model: `python -m apps.train cgan --dataset mnist`."""

import argparse
import dataclasses
import sys
import typing
from pathlib import Path

from jsonargparse import ArgumentError, ArgumentParser

import apps.quiet  # noqa: F401
from apps.console import run_app
from keras_gans import training
from keras_gans.callbacks import StoppedError
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES

PROGRAM = "python -m apps.train"


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    variant, *rest = arguments or ["--help"]
    if variant in ("-h", "--help"):
        print(_overview())
        return
    if variant not in RECIPES:
        raise InputError(f"unknown variant {variant!r}: choose one of {', '.join(RECIPES)}")
    options, recipe = parse(RECIPES[variant], rest)
    if options.resume and training.is_complete(options.resume):
        print(f"{options.resume} is complete: there is nothing to resume")
        return
    run = training.reopen(recipe, options.resume) if options.resume else training.prepare(recipe)
    print(training.plan(run))
    if options.dry_run:
        return
    training.check_writable(Path(options.export_dir) / variant)
    directory = options.resume or training.create(run, options.runs_dir, options.name)
    print(f"run       {directory}", flush=True)
    train(run, directory, options)


def train(run, directory, options):
    """Trains, exports and says what was made, how good it is, and what to do with it."""
    variant, first = run.recipe.variant, int(run.model.step)
    try:
        seconds = training.train(run, directory)
    except StoppedError:
        print(
            f"stopped at step {int(run.model.step):,} of {run.total_steps:,}; saved. Go on with\n"
            f'          make train-{variant} ARGS="--resume {directory}"'
        )
        sys.exit(130)
    images = (run.total_steps - first) * run.recipe.batch_size
    print(f"trained   {images:,} images in {seconds:,.0f} s: {images / seconds:,.0f} images/s")
    version, score = training.finish(run, directory, options.export_dir)
    if score:
        print(f"quality   {score.as_text()}")
    print(f"samples   {directory}/samples")
    print(f"exported  {version}")
    print("next      make tensorboard")
    print(f"          make generate MODEL={variant}")
    print(f"          make serve MODEL={variant}")


def parse(recipe_class, arguments):
    """Returns `(options, recipe)`: where to run, and what.

    A resumed run's own configuration comes before the flags, so that these can only repeat it.
    """
    parser = _parser(recipe_class)
    try:
        options = parser.parse_args(arguments)
        if options.resume:
            config = training.config_of(options.resume)
            options = parser.parse_args(["--config", str(config), *arguments])
    except ArgumentError as error:
        raise InputError(f"{error} (see {PROGRAM} {recipe_class.variant} --help)") from error
    settings = [item.name for item in dataclasses.fields(recipe_class)]
    return options, recipe_class(**{name: options[name] for name in settings})


def _parser(recipe_class):
    parser = ArgumentParser(
        prog=f"{PROGRAM} {recipe_class.variant}",
        description=recipe_class.__doc__,
        exit_on_error=False,
        allow_abbrev=False,
        print_config=None,
    )
    run = parser.add_argument_group("the run")
    run.add_argument("--config", action="config", help="YAML file of settings; flags override it")
    run.add_argument("--name", type=str | None, help="the run's name; default: made of the date")
    run.add_argument("--resume", type=str | None, metavar="RUN", help="folder of a run to go on")
    run.add_argument("--runs-dir", type=str, default="runs", help="where runs are written")
    run.add_argument("--export-dir", type=str, default="saved_models", help="where exports go")
    run.add_argument("--dry-run", action="store_true", help="print the plan and end")
    # A saved configuration names its variant, and is refused for another one.
    variant = recipe_class.variant
    parser.add_argument(
        "--variant", type=typing.Literal[variant], default=variant, help=argparse.SUPPRESS
    )
    types = typing.get_type_hints(recipe_class)
    settings = parser.add_argument_group("settings")
    for item in dataclasses.fields(recipe_class):
        settings.add_argument(
            "--" + item.name.replace("_", "-"),
            type=types[item.name],
            default=item.default,
            help=item.metadata["help"],
        )
    return parser


def _overview():
    lines = [f"usage: {PROGRAM} VARIANT [options]", ""]
    lines += [f"  {name:8} {recipe.__doc__.strip()}" for name, recipe in RECIPES.items()]
    return "\n".join([*lines, "", f"All options of a variant: {PROGRAM} cgan --help"])


if __name__ == "__main__":
    run_app(PROGRAM, main)
