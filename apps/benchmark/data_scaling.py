"""What training costs as the data grows: folders of many small pictures, made and deleted."""

import contextlib
import functools
import itertools
import math
import os
import shutil
import signal
import tempfile
from pathlib import Path
from statistics import median

from PIL import Image

from apps.benchmark.measuring import case_result, seconds, spread
from apps.benchmark.step_time import start_run
from keras_gans import data, training
from keras_gans.data.arrays import ArraySplit
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES

IMAGE_SIZE = 28
CLASSES = 10
DIFFERENT = 1000  # files; the others are links to them
MOST_LINKS = 60_000  # to one file: ext4 takes 65,000
BLOCK_BYTES = 4096  # of a small file
ENTRY_BYTES = 100  # of a name in a folder, with room to spare
STEPS = 50


def check_room(count):
    """Raises InputError unless a folder of `count` pictures fits the temporary folder's disk."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        original = Path(folder, "file")
        original.touch()
        _link_or_copy(original, Path(folder, "link"))
        files = _files(count) if original.stat().st_nlink == 2 else count
        room = os.statvfs(folder)
    wanted = files * BLOCK_BYTES + count * ENTRY_BYTES
    free = room.f_bavail * room.f_frsize
    # Some file systems have no fixed number of files, and say 0.
    if wanted > free or (room.f_files and files > room.f_favail):
        raise InputError(
            f"--scale {count} needs {wanted / 2**30:,.1f} GiB and {files:,} files in "
            f"{tempfile.gettempdir()}, where {free / 2**30:,.1f} GiB and {room.f_favail:,} files "
            "are free; set TMPDIR to another disk"
        )


@contextlib.contextmanager
def folder_of(count):
    """Makes a folder of `count` digits as PNG files in ten sub-folders, and deletes it afterwards.

    `DIFFERENT` of them are files of their own and the rest hard links to these, or where links
    are refused copies. InputError is raised if it cannot be made.
    """
    root = Path(tempfile.mkdtemp(prefix="benchmark-"))
    try:
        _fill(root, count)
        yield root
    finally:
        # Ctrl-C has to wait: an impatient second one would leave a million files.
        numbers = (signal.SIGINT, signal.SIGTERM)
        handlers = [signal.signal(number, signal.SIG_IGN) for number in numbers]
        shutil.rmtree(root)
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)


def _fill(root, count):
    files = _files(count)
    digits = data.load_source("digits").train
    images, _ = digits.read([index % digits.size for index in range(files)])
    paths = (root / str(index % CLASSES) / f"{index:09d}.png" for index in range(count))
    originals = list(itertools.islice(paths, files))
    try:
        for label in range(CLASSES):
            (root / str(label)).mkdir()
        for path, image in zip(originals, images.numpy(), strict=True):
            Image.fromarray(image[..., 0]).save(path)
        for path, original in zip(paths, itertools.cycle(originals)):
            _link_or_copy(original, path)
    except OSError as error:
        raise InputError(f"cannot make {count:,} pictures: {error.strerror}") from error


def _files(count):
    """How many of the pictures are files of their own, if links are to be had."""
    return min(count, max(DIFFERENT, math.ceil(count / MOST_LINKS)))


def _link_or_copy(original, path):
    try:
        os.link(original, path)
    except OSError:
        shutil.copyfile(original, path)


def measure(variant, path, cache_mib, batch_size, precision, repeats, steps):
    """Measures a case of `apps.benchmark.cases` on a folder; returns plain numbers.

    Args:
        cache_mib: A folder whose images take at most so much is decoded once.
        steps: None for `STEPS`.
    """
    settings = {"dataset": f"folder:{path}", "image_size": IMAGE_SIZE, "cache_mib": cache_mib}
    recipe = RECIPES[variant](batch_size=batch_size, precision=precision, **settings)
    steps = steps or STEPS
    run, _, first_step = start_run(recipe)
    fit = functools.partial(run.model.fit, steps_per_epoch=steps, shuffle=False, verbose=0)
    streams = [run.recipe.batches(run.source, 0) for _ in range(repeats)]
    rates = [steps * batch_size / seconds(lambda s=stream: fit(s)) for stream in streams]
    return case_result(run, steps, rates, images_per_second=spread(rates)) | {
        "images": run.source.train.size,
        "in_memory": isinstance(run.source.train, ArraySplit),
        "first_step_seconds": first_step,
        "peak_mib": training.peak_mib(),
        **_first_batch_seconds(run, repeats),
    }


def _first_batch_seconds(run, repeats):
    """Times the start of an epoch and, as a resumed run does, of one's middle."""
    middle = run.steps_per_epoch // 2

    def first_batch(step, load_source=lambda: run.source):
        return seconds(lambda: next(iter(run.recipe.batches(load_source(), step))))

    return {
        "first_batch_seconds": median(first_batch(0) for _ in range(repeats)),
        "mid_epoch_batch_seconds": median(first_batch(middle) for _ in range(repeats)),
        "mid_epoch_open_seconds": first_batch(middle, run.recipe.load_source),
    }
