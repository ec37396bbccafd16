"""Measures samples: `python -m apps.evaluate runs/cgan-mnist`, or `--compare RUN RUN ...`."""

import dataclasses
import sys
import time
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser

import apps.quiet  # noqa: F401
from apps import console
from keras_gans import training
from keras_gans.data import skipped_text
from keras_gans.data.folder import BAD_IMAGES
from keras_gans.data.image_file import RESIZES
from keras_gans.errors import InputError, RunError
from keras_gans.evaluation import results, translation
from keras_gans.metrics import registry
from keras_gans.serving import export
from keras_gans.serving.endpoints import Endpoints
from keras_gans.visualize import comparison, images, tensorboard

PROGRAM = "python -m apps.evaluate"
DESCRIPTION = """
Scores samples of a trained model against real images that it never saw, where the data has a test
split, and as many real training images as the floor. A run keeps the scores in metrics.json and
shows them in TensorBoard.
"""
# Of an export; a run knows how its pictures were read.
READING = ("image_size", "channels", "resize", "bad_images", "value_range", "max_megapixels")
POINTS = 500  # real ones and samples each in the dashboard's projector
COLUMNS = 10  # images of a model in the picture of a comparison


@dataclasses.dataclass(frozen=True)
class Subject:
    """A model to be measured, the data it is compared with, and where its scores are kept."""

    folder: str
    endpoints: Endpoints
    source: object
    protocol: dict  # what of it belongs beside its scores: checkpoint and step, or version
    scores_path: Path


def main(arguments=None):
    """Scores one model or compares several, as the command line says."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    if options.compare:
        compare(options)
        return
    subject = _open(options.model, options)
    results.read(subject.scores_path)  # damaged, it is told before the work
    training.check_writable(subject.scores_path.parent)
    evaluator = _make_evaluator(subject.source, options)
    entry = _measure(subject, evaluator)
    _print_scores({Path(subject.folder).resolve().name: entry}, entry["protocol"])
    _print_left_out(evaluator)
    _print_skipped(subject.source)
    print(f"written   {subject.scores_path}")


def compare(options):
    """Prints one table and draws one picture of several models of the same data."""
    subjects = [_open(folder, options) for folder in options.compare]
    first, *others = subjects
    for other in others:
        if other.source.fingerprint != first.source.fingerprint:
            texts = " and ".join(
                f"{one.folder} of {one.source.name} ({one.source.train.size:,} images, fingerprint "
                f"{one.source.fingerprint})"
                for one in (first, other)
            )
            raise InputError(f"the models are of different data: {texts}")
    training.check_writable(Path(options.picture).parent)
    evaluator = _make_evaluator(first.source, options)
    named = {Path(one.folder).resolve().name: one for one in subjects}
    if len(named) < len(subjects):
        named = {one.folder: one for one in subjects}
    entries = {key: _kept(one, evaluator) for key, one in named.items()}
    new = [key for key, entry in entries.items() if entry is None]
    for key in new:
        training.check_writable(named[key].scores_path.parent)
    entries |= {key: _measure(named[key], evaluator) for key in new}
    _print_scores(entries, evaluator.protocol())
    for name, subject in named.items():
        print(f"{name}: {_in_words(subject.protocol)}")
    _print_left_out(evaluator)
    _print_skipped(first.source)
    rows = comparison.real_rows(evaluator, COLUMNS)
    for name, subject in named.items():
        made = comparison.model_rows(evaluator, subject.endpoints, COLUMNS)
        rows |= {f"{name} {what}".strip(): pictures for what, pictures in made.items()}
    try:
        print(f"picture   {images.save_picture(comparison.sample_rows(rows), options.picture)}")
    except OSError as error:
        raise RunError(f"cannot write {options.picture}: {error.strerror or error}") from error


def _parse(arguments):
    parser = ArgumentParser(
        prog=PROGRAM, description=DESCRIPTION, exit_on_error=False, allow_abbrev=False
    )
    features, metrics = Literal[registry.FEATURE_NAMES], Literal[tuple(registry.METRICS)]
    help_features = (
        "what images are compared by; default: classifier with labels, else inception_2015 where "
        "its file is, else random"
    )
    add = parser.add_argument
    add("model", nargs="?", type=str, help="folder of a run or of an export")
    add("--compare", nargs="+", type=str, metavar="MODEL", help="several, in one table and picture")
    add("--checkpoint", type=Literal["best", "last"] | None, help=training.CHECKPOINT_HELP)
    add("--samples", type=int | None, help="to score; default: 10000, of stacked_mnist 26000")
    add("--features", type=features | None, help=help_features)
    add("--metrics", nargs="+", type=metrics, help="default: all that these features allow")
    add("--dataset", type=str | None, help="of an export: the data it was trained on; see train")
    add("--data-dir", type=str | None, help="folder that holds NAME.npz; a run has its own")
    text = "of an export: how pictures of another shape are fitted, as in training"
    own = "of an export, as in training; default: of a folder its own, else as the data is"
    add("--image-size", type=int | tuple[int, int] | None, help=own)
    add("--channels", type=Literal[1, 3] | None, help=own)
    add("--resize", type=Literal[RESIZES] | None, help=text)
    text = "of an export: what an unreadable picture does, as in training"
    add("--bad-images", type=Literal[BAD_IMAGES] | None, help=text)
    text = "of an export: [black, white], the values that are, as in training"
    add("--value-range", type=tuple[float, float] | None, help=text)
    text = "of an export: larger pictures are unreadable, as in training"
    add("--max-megapixels", type=int | None, help=text)
    add("--out", type=str, default="generated/metrics.json", help="an export's scores")
    add("--picture", type=str, default="generated/comparison.png", help="of --compare")
    options = console.parse(parser, arguments)
    console.check_ending("--picture", options.picture, images.FORMATS)
    console.check_no_folder("--out", options.out)
    if bool(options.model) == bool(options.compare):
        raise InputError(f"name one model, or several with --compare (see {PROGRAM} --help)")
    if options.samples is not None and options.samples < 2:
        raise InputError(f"--samples must be at least 2. Received: {options.samples}")
    return options


def _open(folder, options):
    if not training.is_run(folder):
        return _open_export(folder, options)
    of_exports = any(not training.is_run(each) for each in options.compare or ())
    for name in ("dataset", *READING):
        if options[name] is not None and not of_exports:
            flag = name.replace("_", "-")
            raise InputError(f"{folder} is a run and knows its data: leave --{flag} out")
    path = training.find_checkpoint(folder, options.checkpoint)
    model = training.load_checkpoint(path)
    checkpoint = "best" if path.name == training.BEST else "last"
    protocol = {"checkpoint": checkpoint, "step": model.steps_done}
    source = training.load_source(folder, data_dir=options.data_dir)
    endpoints = Endpoints.from_model(model)
    return Subject(folder, endpoints, source, protocol, Path(folder) / results.FILE)


def _open_export(folder, options):
    endpoints = training.open_endpoints(folder, options.checkpoint)
    if options.dataset is None:
        raise InputError(f"{folder} is an export: name the data it was trained on with --dataset")
    reading = {name: options[name] for name in READING if options[name] is not None}
    source = training.export_source(
        endpoints, options.dataset, data_dir=options.data_dir, **reading
    )
    version = export.version_dir(folder)
    protocol = {"checkpoint": f"export {version.parent.name}", "version": version.name}
    return Subject(folder, endpoints, source, protocol, Path(options.out))


def _make_evaluator(source, options):
    folder = Path(options.model or options.compare[0])
    cache = (folder.resolve().parent if training.is_run(folder) else Path("runs")) / training.CACHE
    return translation.evaluator_for(
        source, options.features, options.samples, options.metrics, cache_dir=cache
    )


def _measure(subject, evaluator):
    """Scores a model and writes them down; returns the entry."""
    begin = time.monotonic()
    scores = evaluator.scores(subject.endpoints)
    key, entry = results.make_entry(evaluator, scores, subject.protocol, evaluator.floor())
    try:
        results.write(subject.scores_path, key, entry)
        if "step" in subject.protocol:
            _show_in_dashboard(subject, evaluator, scores)
    except RunError:
        _print_scores({subject.folder: entry}, entry["protocol"])  # they may be nowhere else
        raise
    print(f"{subject.folder} measured in {time.monotonic() - begin:.0f} s", file=sys.stderr)
    return entry


def _kept(subject, evaluator):
    """The entry of an earlier evaluation by the very same protocol, or None."""
    key = results.entry_key(evaluator, subject.protocol)
    entry = results.read(subject.scores_path).get(key)
    if entry is None or entry["protocol"] != evaluator.protocol() | subject.protocol:
        return None
    metrics = {registry.metric_for(registry.base_name(name)) for name in entry["scores"]}
    return entry if metrics == set(evaluator.supported_metrics(subject.endpoints)) else None


def _show_in_dashboard(subject, evaluator, scores):
    folder, step = subject.folder, subject.protocol["step"]
    try:
        tensorboard.log_scores(tensorboard.make_writer(folder), scores, step)
        for name, picture in comparison.score_pictures(evaluator, subject.endpoints).items():
            tensorboard.log_picture(folder, name, picture, step)
        if points := comparison.projector_points(evaluator, subject.endpoints, POINTS):
            tensorboard.write_projector(folder, *points)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error


def _print_scores(entries, protocol):
    """Prints a table of the scores of `{column: entry}` and of real images, and the protocol."""
    columns = {name: entry["scores"] for name, entry in entries.items()}
    columns["real images"] = next(iter(entries.values()))["floor"]
    rows = [["", *columns, "better"]]
    for name in dict.fromkeys(name for scores in columns.values() for name in scores):
        cells = [score_text(name, scores.get(name)) for scores in columns.values()]
        rows.append([name, *cells, registry.BETTER[registry.base_name(name)]])
    first, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    for name, *cells in rows:
        print("  ".join([name.ljust(first), *map(str.rjust, cells, widths)]))
    print(f"protocol  {_in_words(protocol)}")
    for name, entry in entries.items():
        if worst := registry.worst_class_text(entry["scores"]):
            print(f"worst     {f'{name}, ' if len(entries) > 1 else ''}{worst}")


def score_text(name, score, unknown="-"):
    """Formats `{"value", "standard_error"}` as `3.2 +- 0.1`; None as `unknown`."""
    if score is None:
        return unknown
    values = (score["value"], score["standard_error"])
    return " +- ".join(registry.value_text(name, value) for value in values if value is not None)


def _in_words(protocol):
    flat = {**protocol, **protocol.get("versions", {})}
    flat.pop("versions", None)
    texts = {key: f"{v:.4g}" if isinstance(v, float) else v for key, v in flat.items()}
    return ", ".join(f"{key.replace('_', ' ')} {text}" for key, text in texts.items())


def _print_left_out(evaluator):
    for heading, text in evaluator.source.notes:
        if heading == "warning":
            print(f"warning   {text}")
    for name, reason in evaluator.left_out.items():
        print(f"left out  {name}: {reason}")


def _print_skipped(source):
    if skipped := skipped_text(source):
        print(f"skipped   {skipped}")


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
