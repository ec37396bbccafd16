"""Tests the claims of GAN theory by experiment: `python -m apps.theory`, or `--claim modes`."""

import logging
import sys
import time
from pathlib import Path

from tqdm import tqdm

import apps.quiet  # noqa: F401
from apps import console
from keras_gans import training
from keras_gans.errors import InputError, RunError
from keras_gans.theory.experiments import CLAIMS
from keras_gans.visualize import images, tensorboard

PROGRAM = "python -m apps.theory"
DESCRIPTION = """
Runs an experiment for each claim that texts make about GANs, on data whose densities are known
exactly, and prints what was measured beside what was claimed. Pictures, animations and what
TensorBoard shows go to a folder for each claim.
"""
FRAME_SECONDS, LAST_SECONDS = 0.25, 3.0


def main(arguments=None):
    """Runs the experiments, writes their pictures, prints the table."""
    options = _parse(arguments)
    names = options.claim or [name for name, claim in CLAIMS.items() if claim.by_default]
    training.check_writable(options.out)
    # It warns of many models in one process, as if they were one traced again and again.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    outcomes = {}
    parts = sum(CLAIMS[name].parts for name in names)
    with tqdm(total=parts, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:
        for name in names:
            bar.set_description_str(name)

            def done(text):
                bar.set_postfix_str(text, refresh=False)
                bar.update()

            begin = time.monotonic()
            outcomes[name] = CLAIMS[name].experiment(done)
            _write(Path(options.out) / name, outcomes[name])
            seconds = time.monotonic() - begin
            tqdm.write(f"{name:14}{seconds:4.0f} s  {outcomes[name].measured}", file=sys.stderr)
    print(markdown_table(outcomes))
    print(f"\npictures  {options.out}/<claim>/ (make tensorboard)")


def _parse(arguments):
    parser = console.make_parser(PROGRAM, DESCRIPTION)
    known = ", ".join(CLAIMS)
    left_out = ", ".join(name for name, claim in CLAIMS.items() if not claim.by_default)
    text = f"of {known}; default: all but {left_out}, which train on digits"
    parser.add_argument("--claim", type=str, nargs="+", metavar="CLAIM", help=text)
    parser.add_argument("--out", type=str, default="runs/theory", help="folder for what is drawn")
    options = console.parse(parser, arguments)
    for name in options.claim or ():
        if name not in CLAIMS:
            raise InputError(f"unknown claim {name!r}: choose of {known}")
    return options


def _write(folder, outcome):
    """Writes pictures, animations and what TensorBoard shows of an experiment."""
    try:
        for name, picture in outcome.pictures.items():
            images.save_png(picture, folder / f"{name}.png")
            tensorboard.log_picture(folder, name, picture, 0)
        for name, frames in outcome.animations.items():
            seconds = [FRAME_SECONDS] * (len(frames) - 1) + [LAST_SECONDS]
            images.save_gif(frames, folder / f"{name}.gif", seconds)
        tensorboard.log_curves(folder, outcome.curves)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error


def markdown_table(outcomes):
    """Returns a table of `{name: Outcome}`: the claim, what was measured, whether it holds."""
    lines = ["| # | claim | measured | holds |", "| --- | --- | --- | --- |"]
    for name, outcome in outcomes.items():
        claim, holds = CLAIMS[name], "yes" if outcome.holds else "no"
        measured = outcome.measured.replace("|", "\\|")  # of |x|, in a cell
        lines.append(f"| {claim.number} | {claim.text} | {measured} | {holds} |")
    return "\n".join(lines)


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
