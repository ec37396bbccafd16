"""Measures how fast training is, and against what: `python -m apps.benchmark dcgan cgan`."""

import json
import signal
import sys
import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path

from jsonargparse import ArgumentParser

import apps.quiet  # noqa: F401
from apps import console
from apps.benchmark import baselines, cases, data_scaling, tables
from apps.benchmark.measuring import describe_machine
from apps.benchmark.overhead import RANDOM
from keras_gans import training
from keras_gans.data.pipeline import rows_per_replica
from keras_gans.errors import InputError, RunError
from keras_gans.precision import choose_precision
from keras_gans.recipes import RECIPES

PROGRAM = "python -m apps.benchmark"
DATA_VARIANT = "dcgan"
CACHES_MIB = (0, RECIPES[DATA_VARIANT].cache_mib)  # decoded each time, and once
DESCRIPTION = """
Measures training, each case in a process of its own. Without --scale and --around: the step, on
the recipes' default data, against the machine's large matrix products; all variants take about
ten minutes on two cores, one variant one minute.
"""
HELP_BASELINES = """
timed in turn with the library, in float32: blogs, their train_on_batch on the same networks;
torch, torch-compile, which is not installed with this: DCGAN and R3GAN in PyTorch
"""
HELP_SCALE = """
instead, training on folders of so many small PNG files, made for it in the temporary folder
(TMPDIR) and deleted; most are links to the same files, which the system then holds in memory
"""


def main(arguments=None):
    """Measures what the options ask for, prints tables and perhaps writes every number as JSON."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    machine = describe_machine()
    print("\n".join(f"{key:11}{value}" for key, value in machine.items()), flush=True)
    names = ("variants", "batch_sizes", "precisions", "replicas", "baselines", "repeats", "steps")
    report = {"machine": machine, "settings": {name: options[name] for name in names}}
    if options.scale:
        report["scale"] = tables.print_table(tables.SCALE, measure_scale(options))
    if options.around:
        report["around"] = tables.print_table(tables.AROUND, measure_around(options))
    if not (options.scale or options.around):
        report["steps"] = tables.print_table(tables.STEPS, measure_steps(options))
        tables.print_scaling(report["steps"])
    if options.json:
        path = Path(options.json)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror}") from error


def measure_steps(options):
    """Yields what `step_time.measure` gives for each case."""
    for case, replicas in product(_cases(options), options.replicas):
        # What they do is the same whatever the precision and the replicas of the library.
        names = options.baselines if replicas == 1 else []
        others = baselines.baselines_for(case["variant"], names)
        yield cases.run("step", **case, replicas=replicas, baselines=others)


def measure_scale(options):
    """Yields what `data_scaling.measure` gives for each number of images, cached or not."""
    for count in options.scale:
        with data_scaling.folder_of(count) as path:
            for case, cache_mib in product(_cases(options), CACHES_MIB):
                yield cases.run("scale", **case, path=str(path), cache_mib=cache_mib)


def measure_around(options):
    """Yields what `overhead.measure` gives for each case."""
    data = {"dataset": options.dataset, "data_dir": options.data_dir}
    for case in _cases(options):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            yield cases.run("around", **case, **data, folder=folder)


def _cases(options):
    """What every measurement of a variant is told, for all that the options combine."""
    names = ("variant", "batch_size", "precision", "repeats", "steps")
    common = [options.repeats], [options.steps]
    for values in product(options.variants, options.batch_sizes, options.precisions, *common):
        yield dict(zip(names, values, strict=True))


def _parse(arguments):
    parser = ArgumentParser(
        prog=PROGRAM, description=DESCRIPTION, exit_on_error=False, allow_abbrev=False
    )
    many = {"nargs": "+", "default": []}
    add = parser.add_argument
    known = f"of {', '.join(RECIPES)}; default: all, with --scale and --around {DATA_VARIANT}"
    add("variants", type=str, nargs="*", default=[], help=known)
    add("--batch-sizes", type=int, nargs="+", default=[64], help="images in a step")
    policies = "as apps.train takes them; default: float32 auto, with --scale and --around float32"
    add("--precisions", type=str, nargs="+", help=policies)
    add("--replicas", type=int, nargs="+", default=[1], help="devices that share each batch")
    add("--baselines", "--rivals", type=str, **many, help=HELP_BASELINES)
    add("--scale", type=int, **many, metavar="N", help=HELP_SCALE)
    around = "instead, what data, logs, pictures, checkpoints and scores cost beside the steps"
    add("--around", action="store_true", help=around)
    add("--dataset", type=str, default=RANDOM, help="of --around; random: 60,000 of 28 x 28")
    add("--data-dir", type=str | None, help="of --dataset, as apps.train takes it")
    add("--repeats", type=int, default=3, help="rounds after one of warm-up")
    steps = "steps in a round; default: of about 2 s, --scale 50, --around 120"
    add("--steps", type=int | None, help=steps)
    add("--json", type=str | None, metavar="FILE", help="every round, as numbers")
    options = console.parse(parser, arguments)
    elsewhere = bool(options.scale or options.around)
    options.variants = options.variants or ([DATA_VARIANT] if elsewhere else list(RECIPES))
    for variant in options.variants:
        if variant not in RECIPES:
            raise InputError(f"unknown variant {variant!r}: choose of {', '.join(RECIPES)}")
    names = options.precisions or (["float32"] if elsewhere else ["float32", "auto"])
    # Where `auto` means float32, one case is enough.
    options.precisions = list(dict.fromkeys(choose_precision(name)[0] for name in names))
    _check(options)
    return options


def _check(options):
    """Refuses whatever a case would refuse, before the first one."""
    for name, low in (("repeats", 1), ("steps", 2 if options.around else 1)):
        if options[name] is not None and options[name] < low:
            raise InputError(f"--{name} must be at least {low}. Received: {options[name]}")
    if not (options.scale or options.around):
        _check_step_cases(options)
    baselines.check_baselines(options.baselines, options.variants)
    if options.scale and "cyclegan" in options.variants:
        raise InputError("--scale makes one set of images, cyclegan takes two")
    for count in options.scale:
        if count < max(options.batch_sizes):
            raise InputError(f"--scale must be at least the batch size. Received: {count}")
        data_scaling.check_room(count)
    if options.json:
        if Path(options.json).is_dir():
            raise InputError(f"--json must be a file. Received the folder {options.json}")
        training.check_writable(Path(options.json).parent)


def _check_step_cases(options):
    for variant in options.variants:
        recipe = RECIPES[variant]()
        source = recipe.load_source()
        for batch_size, replicas in product(options.batch_sizes, options.replicas):
            if replicas < 1:
                raise InputError(f"--replicas must be at least 1. Received: {replicas}")
            replace(recipe, batch_size=rows_per_replica(batch_size, replicas))
            replace(recipe, batch_size=batch_size).batches(source, 0)


if __name__ == "__main__":
    # A folder of a million files is deleted whoever ends this.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console.run_app(PROGRAM, main)
