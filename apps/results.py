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
from keras_gans import training
from keras_gans.errors import InputError, RunError
from keras_gans.evaluation import results
from keras_gans.files import write_atomically
from keras_gans.metrics import registry
from keras_gans.recipes import RECIPES

PROGRAM = "python -m apps.results"
# Options beside the recipe's own: a step of WGAN-GP is five of its critic, and many codes blur.
VARIANTS = {
    "gan": [],
    "dcgan": [],
    "cgan": [],
    "wgan-gp": ["--epochs", "8"],
    "aae": [],
    "vae": ["--latent-dim", "8"],
}
SCORES = (
    "fid",  # by Inception, else by its plain name
    "frechet",
    "label_accuracy",
    "classes_covered",
    "rarest_class_share",
    "precision",
    "recall",
    "parzen",
)
TIMES = "times.json"  # beside the runs


def main(arguments=None):
    """Trains and evaluates what is not done yet, then prints a Markdown table of all."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    runs = {variant: Path(options.runs_dir) / variant for variant in options.variants}
    commands = {variant: _training_command(variant, run, options) for variant, run in runs.items()}
    print(
        f"Trains and evaluates {', '.join(runs)} on {options.dataset}: with all of MNIST hours.\n"
        "What is finished is not done again: after Ctrl-C, the same command goes on.",
        flush=True,
    )
    for variant, run in runs.items():
        if not (training.is_run(run) and training.is_complete(run)):
            _train(variant, commands[variant], options)
        if find_entry(run, options.samples) is None:
            _run_program("evaluate", [str(run), "--samples", str(options.samples)])
    entries = {variant: find_entry(run, options.samples) for variant, run in runs.items()}
    times = _read_times(options)
    efforts = {
        variant: f"{training.saved_settings(run)['epochs']} epochs, {times[variant]['seconds']:,} s"
        for variant, run in runs.items()
    }
    print(f"\n{markdown_table(entries, efforts)}\n")
    for machine in dict.fromkeys(times[variant]["machine"] for variant in runs):
        print(f"Trained on {machine}.")


def _parse(arguments):
    parser = ArgumentParser(
        prog=PROGRAM,
        description="Trains variants by their recipes, evaluates them and prints a Markdown table. "
        "On two cores all of MNIST takes hours. A finished run is not trained again.",
        exit_on_error=False,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--variants",
        type=str,
        nargs="+",
        default=list(VARIANTS),
        help=f"of {', '.join(VARIANTS)}; default: all",
    )
    add("--epochs", type=int | None, help="of every variant; default: as the README's table")
    add("--dataset", type=str, default="mnist", help="as apps.train takes it")
    add("--data-dir", type=str | None, help="folder that holds NAME.npz")
    add("--samples", type=int, default=10_000, help="samples to score")
    add("--runs-dir", type=str, default="runs/results", help="where runs and times are written")
    add("--export-dir", type=str, default="saved_models", help="where exports go")
    options = console.parse(parser, arguments)
    for variant in options.variants:
        if variant not in VARIANTS:
            raise InputError(f"unknown variant {variant!r}: choose of {', '.join(VARIANTS)}")
    if options.samples < 2:
        raise InputError(f"--samples must be at least 2. Received: {options.samples}")
    return options


# Training --------------------------------------------------------------------------------------


def _training_command(variant, run, options):
    """The options of `apps.train`, checked before hours are spent."""
    command = [*VARIANTS[variant], "--dataset", options.dataset]
    command += ["--runs-dir", options.runs_dir, "--export-dir", options.export_dir]
    command += ["--data-dir", options.data_dir] if options.data_dir else []
    command += ["--epochs", str(options.epochs)] if options.epochs is not None else []
    command += ["--resume", str(run)] if training.is_run(run) else ["--name", variant]
    parsed, recipe = train.parse(RECIPES[variant], command)
    if parsed.resume:
        training.check_settings(recipe, run)
    else:
        recipe.load_source()
        training.check_writable(options.runs_dir)
    return [variant, *command]


def _train(variant, command, options):
    """Trains to the end; the time counts even if that is interrupted."""
    begin = time.monotonic()
    try:
        _run_program("train", command)
    finally:
        times = _read_times(options)
        spent = times.get(variant, {}).get("seconds", 0) + round(time.monotonic() - begin)
        machine = ", ".join(describe_machine().values())
        times[variant] = {"seconds": spent, "machine": machine}
        path = Path(options.runs_dir) / TIMES
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(times, indent=2))


def _run_program(name, arguments):
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


def _read_times(options):
    path = Path(options.runs_dir) / TIMES
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged: delete it ({error})") from error


# The table -------------------------------------------------------------------------------------


def find_entry(run, samples):
    """Returns the newest scores of so many samples that a run keeps, or None."""
    entries = results.read(run / "metrics.json").values()
    found = [entry for entry in entries if entry["protocol"]["generated_images"] == samples]
    return found[-1] if found else None


def markdown_table(entries, efforts):
    """Returns a table of scores, one row a variant, and of the real images below them.

    Args:
        entries: `{variant: entry}` as `find_entry` returns them.
        efforts: `{variant: text}`, what its training took.
    """
    rows = {name: entry["scores"] for name, entry in entries.items()}
    rows["real training images"] = next(iter(entries.values()))["floor"]
    names = dict.fromkeys(name for scores in rows.values() for name in scores)
    columns = [name for score in SCORES for name in names if registry.base_name(name) == score]
    lines = [["", "training", *columns], ["---"] * (2 + len(columns))]
    for row, scores in rows.items():
        cells = (_cell(name, scores.get(name)) for name in columns)
        lines.append([row, efforts.get(row, ""), *cells])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cell(name, score):
    if score is None:
        return ""
    text = registry.value_text(name, score["value"])
    error = score["standard_error"]
    return text if error is None else f"{text} +- {registry.value_text(name, error)}"


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
