"""Writes what TensorBoard shows of a run: settings, scores, pictures, and images as points."""

import json
import math
import re
import secrets
import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.plugins import projector
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.hparams import api_pb2, summary

from keras_gans.errors import RunError
from keras_gans.visualize.images import grid, save_png

CONFIG = "projector_config.pbtxt"  # the name the plugin looks for
FILES = "projector"
SPRITE_SIDE = 8192  # px, the most the plugin takes
THUMBNAIL_SIDE = 64  # px
MIN_DIMENSIONS = 3  # fewer, and the plugin shows no points


def make_writer(directory):
    """A `tf.summary` writer that adds to what TensorBoard shows of a run."""
    return tf.summary.create_file_writer(str(directory))


def valid_text(text):
    """Returns text that every file can hold: what is no UTF-8 in a file's name is escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def log_settings(writer, settings, step):
    """Writes a run's settings, `{name: value}`, as a table, before its first step, and HPARAMS."""
    if step == 0:
        rows = [f"| {key} | {valid_text(str(value))} |" for key, value in settings.items()]
        table = "\n".join(["| setting | value |", "| --- | --- |", *rows])
        with writer.as_default():
            tf.summary.text("config", table, step=0)
    # Of several, those of a resumed run, TensorBoard takes the first.
    log_hparams(writer, settings)


def log_hparams(writer, settings):
    """Writes a run's settings as its row of TensorBoard's HPARAMS table.

    Every scalar of the same run is a metric column beside them: TensorBoard finds both, for
    whatever runs it shows, and puts the settings in which they differ first. Of several such
    records of a run it takes the first, so writing them again when a run goes on adds nothing.

    Args:
        writer: A `tf.summary` writer of the run's folder.
        settings: `{name: value}` of bool, int, float, str, None, or lists of them, which are shown
            as text, like None. Another type raises TypeError.
    """
    values = dict(settings)
    for name, value in settings.items():
        if value is None:  # left out, it would not count as differing from a given one
            values[name] = "none"
        elif isinstance(value, (list, tuple)):
            values[name] = json.dumps(value, ensure_ascii=False)
        elif isinstance(value, str):
            values[name] = valid_text(value)
    # Not the default group, a hash of the settings: two runs that share them are two rows.
    _write(writer, hparams.hparams_pb(values, trial_id=""))


def log_hparams_end(writer, success=True):
    """Writes that a run has ended, for the status filter of the HPARAMS table.

    The status is "Success" or "Failure". TensorBoard takes the first end of a run and no later
    one. A run that may still go on is better left without: its status is then "Unknown".
    """
    status = api_pb2.STATUS_SUCCESS if success else api_pb2.STATUS_FAILURE
    _write(writer, summary.session_end_pb(status))


def log_scores(writer, scores, step):
    """Writes `{name: Estimate}` as scalars `evaluation/<name>` at `step`."""
    with writer.as_default():
        for name, score in scores.items():
            tf.summary.scalar(f"evaluation/{name}", score.value, step=step)
    writer.flush()


def log_curves(directory, curves):
    """Writes `{name: (steps, values)}` as scalars into an event file of their own."""
    if not curves:
        return
    writer = make_writer(directory)
    with writer.as_default():
        for name, (steps, values) in curves.items():
            for step, value in zip(steps, values, strict=True):
                tf.summary.scalar(name, value, step=int(step))
    writer.close()


def log_picture(directory, tag, picture, step):
    """Adds a picture `uint8 [h, w, 1 or 3]` to what TensorBoard shows of a run's folder.

    It has an event file of its own; one of the same `tag` and `step` replaces an older one.

    Raises:
        RunError: If it cannot be written whole; no part of it stays.
    """
    # A name that nobody else's file ends in, to find it again.
    suffix = f".{secrets.token_hex(4)}.v2"
    fault = "is the disk full?"
    try:
        writer = tf.summary.create_file_writer(str(directory), filename_suffix=suffix)
        with writer.as_default():
            tf.summary.image(tag, picture[None], step=step)
        writer.close()
        # On a full disk the writer says nothing and leaves half a file. The first event of a file
        # is its version.
        paths = [str(path) for path in Path(directory).glob(f"*{suffix}")]
        if sum(1 for _ in tf.data.TFRecordDataset(paths)) == 2:
            return
    except tf.errors.OpError as error:
        if not isinstance(error, tf.errors.DataLossError):
            fault = error.message
    for path in Path(directory).glob(f"*{suffix}"):
        path.unlink()
    raise RunError(f"cannot write the picture {tag} to {directory}: {fault}")


def write_projector(directory, features, images, metadata):
    """Writes points with thumbnails for TensorBoard's PROJECTOR tab, in place of earlier ones.

    `directory` gets `projector_config.pbtxt`, and `projector/` with `features.tsv`,
    `metadata.tsv` and `sprite.png`. The configuration is written last and removed first: what
    it names is whole. TensorBoard looks for it when a run appears; one that already shows the
    run must be started again. ValueError for shapes, types or lengths that do not fit.

    Args:
        directory: A folder with event files: TensorBoard knows no other as a run.
        features: `float32 [n, d]`, finite, n >= 1, d >= 3: where the points are.
        images: `uint8 [n, h, w, c]` with 1 or 3 channels, shrunk to at most 64 px a side, and to
            less where all would not fit on 8192 x 8192 px; the plot shows each as a square.
        metadata: `{column: n values}`, at least one; text or numbers, to colour and search by.
    """
    features, images = np.asarray(features, np.float32), np.asarray(images)
    _check(features, images, metadata)
    directory = Path(directory)
    staged = directory / f".{FILES}.tmp"
    shutil.rmtree(staged, ignore_errors=True)  # a killed program may have left one
    staged.mkdir(parents=True)
    try:
        # Nine digits give every float32 back.
        np.savetxt(staged / "features.tsv", features, fmt="%.9g", delimiter="\t")
        _write_metadata(staged / "metadata.tsv", metadata)
        tiles = _thumbnails(images)
        # As many rows as columns, empty ones too: the plugin divides by the one where it needs
        # the other, and would show wrong images.
        columns = math.ceil(math.sqrt(len(tiles)))
        empty = np.zeros((columns**2 - len(tiles), *tiles.shape[1:]), np.uint8)
        save_png(grid(np.concatenate([tiles, empty]), columns), staged / "sprite.png")
        config = projector.ProjectorConfig()
        points = config.embeddings.add(tensor_name="features", tensor_path=f"{FILES}/features.tsv")
        points.metadata_path = f"{FILES}/metadata.tsv"
        points.sprite.image_path = f"{FILES}/sprite.png"
        points.sprite.single_image_dim.extend(reversed(tiles.shape[1:3]))  # width first
        projector.visualize_embeddings(str(staged), config)
        (directory / CONFIG).unlink(missing_ok=True)
        shutil.rmtree(directory / FILES, ignore_errors=True)
        staged.rename(directory / FILES)
        (directory / FILES / CONFIG).replace(directory / CONFIG)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _write(writer, proto):
    with writer.as_default():
        tf.summary.experimental.write_raw_pb(proto.SerializeToString(), step=0)
    writer.flush()


def _check(features, images, metadata):
    if features.ndim != 2 or not len(features) or features.shape[1] < MIN_DIMENSIONS:
        raise ValueError(
            f"features must be [n, d] with d >= {MIN_DIMENSIONS}. Received: shape={features.shape}"
        )
    if not np.isfinite(features).all():
        raise ValueError("features must be finite as float32. Received: infinite or NaN values")
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "images must be uint8 [n, h, w, c] with 1 or 3 channels. "
            f"Received: {images.dtype} {images.shape}"
        )
    lengths = {"images": len(images), **{name: len(column) for name, column in metadata.items()}}
    if not metadata or set(lengths.values()) != {len(features)}:
        raise ValueError(
            f"images and every column of metadata must have {len(features)} rows, as features "
            f"has. Received: {lengths}"
        )


def _write_metadata(path, metadata):
    # One column alone has no header: the plugin would take it for a point.
    header = [metadata] if len(metadata) > 1 else []
    rows = [*header, *zip(*metadata.values(), strict=True)]
    # A row of nothing but white space is no row to the plugin.
    cells = ([re.sub(r"\s+", " ", str(value)).strip() or "-" for value in row] for row in rows)
    lines = map("\t".join, cells)
    # Class names are folder names, which need not be valid text.
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")


def _thumbnails(images):
    """Shrinks `uint8 [n, h, w, c]`, aspect kept, until the sprite that holds them all fits."""
    count, *size, channels = images.shape
    most = min(THUMBNAIL_SIDE, SPRITE_SIDE // math.ceil(math.sqrt(count)))
    if max(size) <= most:
        return images
    height, width = (max(1, round(side * most / max(size))) for side in size)
    pictures = (Image.fromarray(image[..., 0] if channels == 1 else image) for image in images)
    small = [np.asarray(each.resize((width, height), Image.Resampling.BOX)) for each in pictures]
    return np.stack(small).reshape(count, height, width, channels)
