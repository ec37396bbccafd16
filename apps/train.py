"""Trains a model: `python -m apps.train cgan --dataset mnist`."""

import argparse
import contextlib
import dataclasses
import json
import sys
import typing
from pathlib import Path

import apps.quiet  # noqa: F401
from apps import console
from apps.terminal import command_line
from keras_gans import distribution, training
from keras_gans.callbacks import StoppedError
from keras_gans.data import skipped_text
from keras_gans.errors import InputError
from keras_gans.metrics import registry
from keras_gans.recipes import RECIPES

PROGRAM = "python -m apps.train"
RUNS = "runs"
EXPORTS = "saved_models"


def main(arguments=None):
    """Trains one variant, or goes on with a run, and exports it."""
    arguments = sys.argv[1:] if arguments is None else arguments
    variant, *rest = arguments or ["--help"]
    if variant in ("-h", "--help"):
        print(f"usage: {PROGRAM} VARIANT [options]\n")
        for name, recipe in RECIPES.items():
            print(f"  {name:8} {recipe.__doc__.strip()}")
        print(f"\nAll options of a variant: {PROGRAM} cgan --help")
        return
    if variant not in RECIPES:
        raise InputError(f"unknown variant {variant!r}: choose one of {', '.join(RECIPES)}")
    options, recipe = parse(RECIPES[variant], rest)
    if options.resume is not None:
        training.check_settings(recipe, options.resume)
        saved = training.saved_settings(options.resume)
        if training.is_complete(options.resume) and recipe.epochs == saved["epochs"]:
            print(
                f"{options.resume} is complete: there is nothing to resume; more --epochs than "
                f"{recipe.epochs:,} train it longer"
            )
            return
    # Before TensorFlow does anything else.
    strategy = distribution.make_strategy(options.strategy, options.devices)
    chief = distribution.is_chief(strategy)
    with contextlib.ExitStack() as held:
        if options.resume is None:
            run = training.prepare(recipe, strategy)
            if options.init_from is not None:
                run = training.begin_from(run, options.init_from)
            else:
                for config in filter(None, options.config or ()):  # None: settings as text
                    run = training.note_random_weights(run, str(config))
        else:
            if chief and not options.dry_run:
                held.enter_context(training.locked(options.resume))
            run = training.reopen(recipe, options.resume, strategy)
        training.check_agreement(run)
        if chief:
            _train_as_chief(run, options, held)
        else:
            print(f"strategy  {distribution.describe_strategy(strategy)}", flush=True)
            if not options.dry_run:
                training.train_as_worker(run)
        if options.dry_run:
            distribution.barrier(strategy)  # a worker that ends alone fails the others


def _train_as_chief(run, options, held):
    """Trains and exports in one process, or as the chief of several, and says so.

    The lock of a run that it makes goes to `held`, an `ExitStack`.
    """
    print(training.plan(run))
    print(f"strategy  {distribution.describe_strategy(run.strategy)}", flush=True)
    training.check_memory(run)
    runs_dir = Path(options.resume).parent if options.resume else Path(options.runs_dir)
    training.check_name(runs_dir, options.name)
    if options.dry_run:
        if distribution.num_workers(run.strategy) == 1:
            print(training.trial_text(run, training.time_steps(run)))
        return
    for directory in (options.export_dir, options.resume or options.runs_dir):
        training.check_utf8(directory)
    training.check_writable(Path(options.export_dir) / run.recipe.variant)
    evaluator = _make_evaluator(run, runs_dir)
    if options.resume is None:
        directory = training.create(run, options.runs_dir, options.name)
        held.enter_context(training.locked(directory))
    else:
        directory = options.resume
        if options.name is not None:
            directory = training.copy_run(options.resume, options.name)
            held.enter_context(training.locked(directory))
        for line in training.changes(run.recipe, directory):
            print(f"changed   {line}")
        training.remember(run, directory)
    print(f"run       {directory}", flush=True)
    first = run.model.steps_done
    try:
        seconds = training.train(run, directory, evaluator)
    except StoppedError:
        print(
            f"stopped at step {run.model.steps_done:,} of {run.total_steps:,}; saved. Go on with\n"
            f"          {_resume_command(run, directory, options)}"
        )
        sys.exit(130)
    images = (run.total_steps - first) * run.recipe.batch_size
    rate = f"{images:,} images in {seconds:,.0f} s, {images / seconds:,.0f} images/s"
    rate += f", {evaluator.seconds / seconds:.1%} of the time for scores" if evaluator else ""
    if skipped := skipped_text(run.source):
        print(f"skipped   {skipped}")
    print(f"trained   {rate}; now exporting", flush=True)
    version, best = training.finish(run, directory, options.export_dir)
    if best:
        print(f"best      {_best_text(best)}, of {run.recipe.epochs}")
        print(f"          by {evaluator.in_words()}")
        if worst := registry.worst_class_text(best["scores"]):
            print(f"worst     {worst}")
    print(f"samples   {directory}/samples")
    print(f"exported  {version}")
    print("\n".join(_next_commands(run.recipe, str(runs_dir), options.export_dir)))


def _make_evaluator(run, runs_dir):
    """What scores the samples; made before the run's folder, which then lacks nothing."""
    training.check_writable(runs_dir)
    if run.recipe.features == "classifier" and run.recipe.evaluate_epochs:
        # The judge is fitted to the real images first, once for a data set: up to some minutes.
        print("judge     a classifier of the real images, fitted once for a data set", flush=True)
    return training.evaluator_for(run, runs_dir)


def _best_text(best):
    """The scores of the best checkpoint, the one that chose it first."""
    scores = {name: score["value"] for name, score in best["scores"].items()}
    # A model of classes is asked for each; of another one, what matters is that none is missing.
    kinds = ("classes_covered", "modes_covered")
    accuracies = [name for name in scores if registry.base_name(name) == "label_accuracy"]
    classes = accuracies or [name for name in scores if name.startswith(kinds)]
    chosen = dict.fromkeys([*(n for n in scores if n.startswith(best["metric"])), *classes])
    words = [f"{name} {registry.value_text(name, scores[name])}" for name in chosen]
    return f"{', '.join(words)} at epoch {best['epoch']}"


def _next_commands(recipe, runs_dir, folder):
    variant = recipe.variant
    logs = {"ARGS": command_line("--logdir", runs_dir)} if runs_dir != RUNS else {}
    yield f"next      {command_line('make', 'tensorboard', **logs)}"
    for program in recipe.programs:
        if folder == EXPORTS:
            what = {"MODEL": variant}
        elif program == "serve":
            what = {"MODEL": variant, "ARGS": command_line("--saved-models", folder)}
        else:
            what = {"RUN": f"{folder}/{variant}"}
        yield f"          {command_line('make', program, **what)}"


def _resume_command(run, directory, options):
    if distribution.num_workers(run.strategy) > 1:
        return "the same command, on every worker"
    arguments = ["--resume", str(directory)]
    # What a run's configuration does not hold.
    if options.export_dir != EXPORTS:
        arguments += ["--export-dir", options.export_dir]
    if options.strategy != "auto":
        arguments += ["--strategy", options.strategy]
    if options.devices is not None:
        arguments += ["--devices", options.devices]
    return command_line("make", f"train-{run.recipe.variant}", ARGS=command_line(*arguments))


def parse(recipe_class, arguments):
    """Returns `(options, recipe)`: where to run, and what.

    A resumed run's own configuration comes before the flags, so that these can only repeat it.
    """
    parser = _parser(recipe_class)
    options = console.parse(parser, arguments)
    copied = options.name if options.resume is not None else None
    if copied is not None and distribution.uses_several_workers(options.strategy):
        raise InputError("a copy of a run is made by one worker: copy its folder first")
    if options.resume is not None and options.init_from is not None:
        raise InputError("--init-from is for a run that begins: leave it or --resume out")
    if distribution.uses_several_workers(options.strategy):
        # Workers agree on a run by its name, and the same command again goes on with it.
        recipe = _recipe(recipe_class, options)
        options.name = options.name or training.default_worker_run_name(recipe)
        directory = Path(options.runs_dir) / options.name
        if options.resume is None and training.is_run(directory):
            options.resume = str(directory)
    if (resume := options.resume) is not None:
        settings = json.dumps(training.saved_settings(resume))
        options = console.parse(parser, ["--config", settings, *arguments])
        # Of a copy; a run of workers that goes on has its name already.
        options.resume, options.name = resume, copied
    return options, _recipe(recipe_class, options)


def _recipe(recipe_class, options):
    settings = [item.name for item in dataclasses.fields(recipe_class)]
    return recipe_class(**{name: options[name] for name in settings})


def _parser(recipe_class):
    variant, types = recipe_class.variant, typing.get_type_hints(recipe_class)
    parser = console.make_parser(f"{PROGRAM} {variant}", recipe_class.__doc__, print_config=None)
    add = parser.add_argument_group("the run").add_argument
    add("--config", action="config", help="YAML file of settings; flags override it")
    add("--name", type=str | None, help="the run's name; default: made of the date")
    help_resume = "folder of a run to go on; with --epochs for longer, with --name as a copy"
    add("--resume", type=str | None, metavar="RUN", help=help_resume)
    help_init = "folder of a run or an export of this variant whose weights the run begins with"
    add("--init-from", type=str | None, metavar="FOLDER", help=help_init)
    add("--runs-dir", type=str, default=RUNS, help="where runs are written")
    add("--export-dir", type=str, default=EXPORTS, help="where exports go")
    add(
        "--strategy",
        type=typing.Literal[distribution.STRATEGIES],
        default="auto",
        help="one device, mirrored over this machine's, multi-worker over several machines; auto: "
        "by TF_CONFIG or Slurm, and the number of GPUs",
    )
    add("--devices", type=str | None, help="how many, or which: 2, or GPU:0,GPU:1; default: all")
    help_dry = "print the plan, train a few steps to tell time and memory, and end"
    add("--dry-run", action="store_true", help=help_dry)
    # A saved configuration names its variant, and is refused for another one.
    hidden = {"default": variant, "help": argparse.SUPPRESS}
    parser.add_argument("--variant", type=typing.Literal[variant], **hidden)
    add = parser.add_argument_group("settings").add_argument
    for item in dataclasses.fields(recipe_class):
        name, text = item.name.replace("_", "-"), item.metadata["help"]
        add(f"--{name}", type=types[item.name], default=item.default, help=text)
    return parser


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
