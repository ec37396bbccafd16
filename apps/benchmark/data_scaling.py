"""What training costs as the data grows: folders of many small pictures, made and deleted."""

import contextlib
import math
import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path
from statistics import median

from PIL import Image

from apps.benchmark.measuring import peak_mib, seconds, spread
from apps.benchmark.step_time import started
from keras_gans import data
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


# Making --------------------------------------------------------------------------------------


def check_room(count):
    """Raises InputError unless a folder of `count` pictures fits the temporary folder's disk."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        files = _files(count) if _can_link(Path(folder)) else count
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
    """The path of a folder of `count` digits as PNG files in ten sub-folders, deleted afterwards.

    `DIFFERENT` of them are files of their own and the rest hard links to these, or where links
    are refused copies.

    Raises:
        InputError: If it cannot be made.
    """
    root = Path(tempfile.mkdtemp(prefix="benchmark-"))
    try:
        try:
            _fill(root, count)
        except OSError as error:
            raise InputError(f"cannot make {count:,} pictures: {error.strerror}") from error
        yield root
    finally:
        with _no_interruption():
            shutil.rmtree(root)


def _fill(root, count):
    for label in range(CLASSES):
        (root / str(label)).mkdir()
    files = _written(root, _files(count))
    for index in range(len(files), count):
        original = files[index % len(files)]
        _link_or_copy(original, _place(root, index))


def _files(count):
    return min(count, max(DIFFERENT, math.ceil(count / MOST_LINKS)))


def _written(root, count):
    digits = data.load_source("digits").train
    images, _ = digits.read([index % digits.size for index in range(count)])
    paths = [str(_place(root, index)) for index in range(count)]
    for path, image in zip(paths, images.numpy(), strict=True):
        Image.fromarray(image[..., 0]).save(path)
    return paths


def _place(root, index):
    return root / str(index % CLASSES) / f"{index:09d}.png"


def _link_or_copy(original, path):
    try:
        os.link(original, path)
    except OSError:
        shutil.copyfile(original, path)


def _can_link(folder):
    (folder / "file").touch()
    try:
        os.link(folder / "file", folder / "link")
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _no_interruption():
    """Ctrl-C has to wait: an impatient second one would leave a million files."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


# Measuring -----------------------------------------------------------------------------------


def measure(variant, path, cache_mib, batch_size, precision, repeats, steps):
    """Returns plain numbers of training on a folder; call it in a new process.

    Args:
        cache_mib: A folder whose images take at most so much is decoded once.
        repeats: Rounds of `steps` steps.
        steps: None for `STEPS`.
    """
    recipe = RECIPES[variant](
        dataset=f"folder:{path}",
        image_size=IMAGE_SIZE,
        cache_mib=cache_mib,
        batch_size=batch_size,
        precision=precision,
    )
    run, _, first_step = started(recipe)
    rates = [_rate(run, steps or STEPS) for _ in range(repeats)]
    return {
        "variant": variant,
        "images": run.source.train.size,
        "in_memory": isinstance(run.source.train, ArraySplit),
        "batch_size": batch_size,
        "precision": run.recipe.precision,
        "steps": steps or STEPS,
        "first_step_seconds": first_step,
        "peak_mib": peak_mib(),
        "images_per_second": spread(rates),
        "rounds": rates,
        **_entering(run.recipe, run.source, repeats),
    }


def _rate(run, steps):
    """Images/s of training on what the pipeline reads."""
    batches = run.recipe.batches(run.source, 0)
    spent = seconds(lambda: run.model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0))
    return steps * run.recipe.batch_size / spent


def _entering(recipe, source, repeats):
    """What it takes to begin in the middle of an epoch, as a resumed run does, in s."""
    middle = data.steps_per_epoch(source.train, recipe.batch_size) // 2

    def first_batch(source, step):
        return seconds(lambda: next(iter(recipe.batches(source, step))))

    return {
        "first_batch_seconds": median(first_batch(source, 0) for _ in range(repeats)),
        "mid_epoch_batch_seconds": median(first_batch(source, middle) for _ in range(repeats)),
        "mid_epoch_open_seconds": seconds(
            lambda: next(iter(recipe.batches(recipe.load_source(), middle)))
        ),
    }
