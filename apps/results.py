"""Makes the README's table of results anew: `python -m apps.results`. Takes hours."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from jsonargparse import ArgumentParser

import apps.quiet  # noqa: F401
from apps import console, train
from apps.benchmark.measuring import describe_machine
from apps.evaluate import score_text
from keras_gans import training
from keras_gans.errors import InputError, RunError
from keras_gans.evaluation import results
from keras_gans.files import write_atomically
from keras_gans.metrics import registry
from keras_gans.recipes import RECIPES

PROGRAM = "python -m apps.results"
DESCRIPTION = """
Trains variants by their recipes, evaluates them and prints a Markdown table. On two cores all of
MNIST takes hours. A finished run is not trained again.
"""
# The table's rows: variants with what is set beside their recipes' own. Many codes blur.
ROWS = {
    "gan": ["gan"],
    "dcgan": ["dcgan"],
    "cgan": ["cgan"],
    "wgan-gp": ["wgan-gp"],
    "r3gan": ["r3gan"],
    "r3gan-labels": ["r3gan", "--label-conditioning", "true"],
    "aae": ["aae"],
    "vae": ["vae", "--latent-dim", "8"],
}
SCORES = (
    "frechet", "label_accuracy", "classes_covered", "rarest_class_share", "precision", "recall",
    "parzen",
)  # fmt: skip
# What an evaluation of few metrics lacks; the other columns are of classes.
ALWAYS = ("frechet", "precision", "recall", "parzen")
TIMES = "times.json"  # beside the runs


def main(arguments=None):
    """Trains and evaluates what is not done yet, then prints a Markdown table of all."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    # All are checked before hours are spent.
    commands = {variant: _training_command(variant, options) for variant in options.variants}
    print(
        f"Trains and evaluates {', '.join(commands)} on {options.dataset}: with all of MNIST "
        "hours.\nWhat is finished is not done again: after Ctrl-C, the same command goes on.",
        flush=True,
    )
    runs_dir, entries, efforts = Path(options.runs_dir), {}, {}
    for variant, command in commands.items():
        run = runs_dir / variant
        if not (training.is_run(run) and training.is_complete(run)):
            _train(variant, command, runs_dir / TIMES)
        entries[variant] = find_entry(run, options.samples, ALWAYS)
        if entries[variant] is None:
            _run_program("evaluate", str(run), "--samples", str(options.samples))
            # Of few images there may be fewer scores.
            entries[variant] = find_entry(run, options.samples)
    times = _read_times(runs_dir / TIMES)
    for variant in commands:
        epochs = training.saved_settings(runs_dir / variant)["epochs"]
        # What another program has trained has no time here.
        spent = f", {times[variant]['seconds']:,} s" if variant in times else ""
        efforts[variant] = f"{epochs} epochs{spent}"
    print(f"\n{markdown_table(entries, efforts)}\n")
    for machine in dict.fromkeys(
        times[variant]["machine"] for variant in commands if variant in times
    ):
        print(f"Trained on {machine}.")


def _parse(arguments):
    parser = ArgumentParser(
        prog=PROGRAM, description=DESCRIPTION, exit_on_error=False, allow_abbrev=False
    )
    add = parser.add_argument
    known = ", ".join(ROWS)
    add("--variants", type=str, nargs="+", default=list(ROWS), help=f"of {known}; default: all")
    add("--epochs", type=int | None, help="of every variant; default: as the README's table")
    add("--dataset", type=str, default="mnist", help="as apps.train takes it")
    add("--data-dir", type=str | None, help="folder that holds NAME.npz")
    add("--samples", type=int, default=10_000, help="samples to score")
    add("--runs-dir", type=str, default="runs/results", help="where runs and times are written")
    add("--export-dir", type=str, default="saved_models", help="where exports go")
    options = console.parse(parser, arguments)
    for variant in options.variants:
        if variant not in ROWS:
            raise InputError(f"unknown variant {variant!r}: choose of {known}")
    if options.samples < 2:
        raise InputError(f"--samples must be at least 2. Received: {options.samples}")
    return options


def _training_command(row, options):
    """Makes the arguments of `apps.train`, and checks them."""
    run = Path(options.runs_dir) / row
    variant, *command = ROWS[row]
    for name in ("dataset", "runs_dir", "export_dir", "data_dir", "epochs"):
        if options[name] is not None:
            command += [f"--{name.replace('_', '-')}", str(options[name])]
    command += ["--resume", str(run)] if training.is_run(run) else ["--name", row]
    parsed, recipe = train.parse(RECIPES[variant], command)
    if parsed.resume:
        training.check_settings(recipe, run)
        begun = training.saved_settings(run)["epochs"]
        if options.epochs not in (None, begun):
            # Trained longer, a run is another one than a run of so many epochs.
            raise InputError(
                f"{run} was begun with other settings: epochs is {begun} there, {options.epochs} "
                "asked: choose another --runs-dir"
            )
    else:
        recipe.load_source()
        training.check_writable(options.runs_dir)
    return [variant, *command]


def _train(variant, command, times_path):
    """Trains to the end; the time counts even if that is interrupted."""
    begin = time.monotonic()
    try:
        _run_program("train", *command)
    finally:
        times = _read_times(times_path)
        spent = times.get(variant, {}).get("seconds", 0) + round(time.monotonic() - begin)
        times[variant] = {"seconds": spent, "machine": ", ".join(describe_machine().values())}
        times_path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(times_path, json.dumps(times, indent=2))


def _run_program(name, *arguments):
    """Runs one of the programs in a process of its own; ends as it ends where it fails."""
    # Ctrl-C reaches the program too, which then saves; this one has to wait for it.
    handler = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        ended = subprocess.run([sys.executable, "-m", f"apps.{name}", *arguments], check=False)
    finally:
        signal.signal(signal.SIGINT, handler)
    if ended.returncode < 0:
        raise RunError(f"apps.{name} was killed by signal {-ended.returncode}")
    if ended.returncode:
        sys.exit(ended.returncode)  # it has said why


def _read_times(path):
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged: delete it ({error})") from error


def find_entry(run, samples, scores=()):
    """Returns a complete run's newest evaluation of so many samples that has these scores, or None.

    It is one of the checkpoint that the run ended with, the best or else the last.
    """
    record = training.read_record(run)
    step = (record.get("best") or record)["step"]
    for entry in reversed(results.read(run / results.FILE).values()):
        protocol, names = entry["protocol"], map(registry.base_name, entry["scores"])
        is_of_it = protocol["generated_images"] == samples and protocol.get("step") == step
        # While it trains, a run writes scores as well, without those of real images.
        if entry["floor"] and is_of_it and set(scores) <= set(names):
            return entry
    return None


def markdown_table(entries, efforts):
    """Returns a table of variants' scores, and of the real images' below them.

    `entries` are `{variant: find_entry(...)}`, `efforts` `{variant: what its training took}`.
    """
    rows = {name: entry["scores"] for name, entry in entries.items()}
    rows["real training images"] = next(iter(entries.values()))["floor"]
    names = dict.fromkeys(name for scores in rows.values() for name in scores)
    columns = [name for score in SCORES for name in names if registry.base_name(name) == score]
    lines = [["", "training", *columns], ["---"] * (2 + len(columns))]
    for row, scores in rows.items():
        cells = (score_text(name, scores.get(name), unknown="") for name in columns)
        lines.append([row, efforts.get(row, ""), *cells])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
