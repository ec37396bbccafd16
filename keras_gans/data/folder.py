"""Reads folders of pictures: decoded once into memory, or again for every batch."""

import contextlib
import hashlib
import math
import os
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from PIL import Image
from tqdm import tqdm

from keras_gans.data import value_range
from keras_gans.data.arrays import ArraySplit, refuse_beyond_memory
from keras_gans.data.folder_split import FolderSplit, Reading, bad_image_error
from keras_gans.data.image_file import find_ranges, fit_image, is_gray, measure, value_kind
from keras_gans.data.listing import list_held_out, list_images
from keras_gans.data.naming import printable
from keras_gans.data.picture_file import BadImageError, identified, open_picture
from keras_gans.data.picture_size import choose_size, enlarged_note
from keras_gans.errors import InputError

BAD_IMAGES = ("refuse", "skip")
_PROBES = 16
_CHUNK = 64
_SAMPLED_FILES = 128  # whose bytes stand for those of all
_SAMPLED_PLACES, _SAMPLED_BYTES = 8, 2048  # of a file, from its begin to its end


@dataclass(frozen=True)
class Folder:
    """A folder of pictures, ready to be read; the attributes are those of `Source`."""

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...] | None
    train: ArraySplit | FolderSplit
    test: ArraySplit | FolderSplit | None
    fingerprint: str
    earlier_fingerprint: str
    notes: tuple[tuple[str, str], ...]


def load_folder(
    splits,
    size,
    channels,
    resize,
    bad_images,
    cache_mib,
    black_white=None,
    max_megapixels=None,
    labelled=True,
):
    """Lists the folders of `Splits` and decodes each into memory if it fits into `cache_mib` MiB.

    Args:
        splits: A `splits.Splits`.
        size: `(height, width)`; None: by the sizes of 16 files, see `picture_size.choose_size`.
        resize, max_megapixels: See `fit_image` and `open_picture`.
        channels: 1, 3, or None: 1 if an evenly spaced sample of 16 files is all gray, else 3.
        bad_images: "refuse", or "skip", which leaves bad images out; every file is read once then.
        black_white: The values that are black and white; None: 0 and 255 of bytes, for wider values
            the narrowest usual range that holds those of all files.
        labelled: Whether sub-folders are classes.

    Returns:
        A `Folder`.

    Raises:
        InputError: no folder, no readable image in it or in one of its classes, or a bad image
            found on the way.
    """
    # Too large pictures are refused here; Pillow's warning would only be a second line.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    listing = list_images(splits.train, labelled)
    size, size_notes = _size_with_notes(listing, size)
    if channels is None:
        channels = probe_channels(listing, bad_images)
    by_default = {value_range.BYTES: value_range.BYTE_RANGE}
    ranges = value_range.stated_ranges(black_white) or by_default
    reading = Reading(size, channels, resize, ranges, max_megapixels)
    earlier = (size, channels, resize, bad_images)
    train, reading, fingerprint, notes = _read(listing, reading, bad_images, cache_mib)
    prints, earlier_prints = [fingerprint], [listing.earlier_fingerprint(earlier)]
    notes, test = [*splits.notes, *listing.notes, *size_notes, *notes], None
    if splits.test is not None:
        held_out = list_held_out(splits.test, listing.class_names)
        notes += held_out.notes
        if len(held_out):
            test, _, fingerprint, _ = _read(held_out, reading, bad_images, cache_mib)
            prints.append(fingerprint)
            earlier_prints.append(held_out.earlier_fingerprint(earlier))
    return Folder(
        image_shape=reading.image_shape,
        class_names=listing.class_names,
        train=train,
        test=test,
        fingerprint=join_fingerprints(prints),
        earlier_fingerprint=join_fingerprints(earlier_prints),
        notes=tuple(dict.fromkeys(notes)),
    )


def join_fingerprints(prints):
    """One fingerprint of several; one alone stays as it is."""
    if len(prints) == 1:
        return prints[0]
    return hashlib.blake2b("".join(prints).encode(), digest_size=8).hexdigest()


def probe_channels(listing, bad_images):
    """1 if the readable ones of evenly spaced files are all gray, else 3."""
    gray = []
    for index in _spread(len(listing), _PROBES):
        try:
            gray.append(is_gray(listing.picture(index)))
        except BadImageError as problem:
            if bad_images == "refuse":
                raise bad_image_error(listing.path(index), problem) from problem
    return 1 if gray and all(gray) else 3


def _size_with_notes(listing, size):
    """The size that is asked for, or one by the sizes of some files; and notes for the user."""
    sides = []
    for index in _spread(len(listing), _PROBES):
        with contextlib.suppress(BadImageError), identified(listing.picture(index)) as image:
            sides.append((image.height, image.width))
    if size is not None:
        note = enlarged_note(size, sides)
        return size, [("warning", note)] if note else []
    size, reason = choose_size(sides, bool(tf.config.list_physical_devices("GPU")))
    return size, [("size", f"{size[0]} x {size[1]}, {reason}")]


def _spread(size, count):
    """At most `count` indices, evenly spaced from the first to the last of `size`."""
    return np.unique(np.linspace(0, size - 1, min(count, size)).astype(int))


# Reading all -------------------------------------------------------------------------------------


def _read(listing, reading, bad_images, cache_mib):
    """Opens the files of a listing; returns `(split, reading, fingerprint, notes)`.

    The reading that is returned has the range of wide values, where there are some.
    """
    refuses, images, prints, bad = bad_images == "refuse", None, None, {}
    if len(listing) * math.prod(reading.image_shape) <= cache_mib * 2**20:
        shape = len(listing), *reading.image_shape
        refuse_beyond_memory(f"held as --cache-mib {cache_mib} allows, an array", shape)
        images = np.empty(shape, np.uint8)
        prints = np.zeros(len(listing), np.uint32)
    guesses = _guess_ranges(listing, reading)
    if images is not None or not refuses or guesses:
        bad, ranges = _read_all(listing, reading, guesses, refuses, images, prints)
        reading = reading._replace(ranges=ranges)
    skipped = [listing.path(index) for index in sorted(bad)]
    if bad:
        good = np.setdiff1d(np.arange(len(listing)), list(bad))
        _refuse_empty_classes(listing, good, bad)
        listing = listing.only(good)
        images, prints = (each if each is None else each[good] for each in (images, prints))
    if images is None:
        split = FolderSplit(listing, reading, refuses, skipped)
        spread = _spread(len(listing), _PROBES)
        brightest = _brightest(split.read_one(index)[0] for index in spread)
        fingerprint = _fingerprint_of_files(listing, reading)
    else:
        split = ArraySplit(images, listing.labels, skipped)
        brightest = images.reshape(len(images), -1).max(axis=1)
        fingerprint = _fingerprint_of_images(images.shape, prints, listing.labels)
    return split, reading, fingerprint, _range_notes(reading.ranges, brightest)


def _read_all(listing, reading, guesses, refuses, images, prints):
    """Reads every file once, and those of wide values again where their range was not foreseen.

    Args:
        guesses: `{kind: range}` of `_guess_ranges`.
        refuses: Whether a bad image raises InputError.
        images, prints: Arrays to be filled with the images and their checksums, or None.

    Returns `(bad, ranges)`: `{index: problem}`, and the ranges of all kinds of values that occur.
    """
    ranges, again, out = dict(reading.ranges), [], (refuses, images, prints)
    bad, measured = _read_once(listing, reading, guesses, range(len(listing)), *out)
    for kind, found in measured.items():
        indices, guess = sorted(found), guesses.get(kind)
        extremes = [found[index] for index in indices]
        ranges[kind], odd = value_range.shared_range(extremes, kind)
        for index in (indices[place] for place in odd):
            low, high = found[index]
            text = f"its values from {low:g} to {high:g} are in no usual range, unlike those of"
            text += " most pictures here: state black and white by --value-range"
            if refuses:
                raise bad_image_error(listing.path(index), text)
            bad[index] = text
        known = guess if ranges[kind] == guess else None
        again += [index for index in indices if index not in bad and found[index] is not known]
    if again:
        worse, _ = _read_once(listing, reading._replace(ranges=ranges), {}, sorted(again), *out)
        bad |= worse
    return bad, ranges


def _read_once(listing, reading, guesses, indices, refuses, images, prints):
    """Reads files by all cores; Pillow lets other threads run meanwhile.

    Returns `(bad, measured)`: `{index: problem}`, and `{kind: {index: (low, high)}}` of pictures
    whose range `reading` does not have; those that fit a guess are read, and have the guess.
    """
    bad, measured = {}, {kind: {} for kind in value_range.KINDS}
    ranges = reading.ranges | guesses

    def read(index):
        try:
            file = listing.picture(index)
            with open_picture(file, reading.size, reading.max_megapixels) as picture:
                kind = value_kind(picture)
                found = None if kind in reading.ranges else measured[kind]
                if found is not None:
                    guess = guesses.get(kind)
                    if guess is None or not value_range.holds(guess, np.asarray(picture)):
                        found[index] = measure(picture)
                        return
                image = fit_image(picture, *reading[:3], ranges)
        except BadImageError as problem:
            if refuses:
                raise bad_image_error(listing.path(index), problem) from problem
            bad[index] = str(problem)
            return
        if found is not None:
            found[index] = guess
        if images is not None:
            images[index], prints[index] = image, zlib.crc32(image)

    _in_parallel(read, indices)
    return bad, {kind: found for kind, found in measured.items() if found}


def _in_parallel(function, indices):
    def run(start):
        for index in indices[start : start + _CHUNK]:
            function(index)

    starts = range(0, len(indices), _CHUNK)
    quiet = not sys.stderr.isatty()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(run, starts)
        for _ in tqdm(done, "reading images", len(starts), delay=2, leave=False, disable=quiet):
            pass


def _guess_ranges(listing, reading):
    """The `{kind: range}` of evenly spaced files that hold values whose range is not known yet."""
    if reading.ranges.keys() == set(value_range.KINDS):
        return {}
    pictures = [listing.picture(index) for index in _spread(len(listing), _PROBES)]
    found = find_ranges(pictures, reading.max_megapixels)
    return {kind: found[kind] for kind in found.keys() - reading.ranges.keys()}


def _refuse_empty_classes(listing, good, bad):
    """Refuses a folder, or a class of it, of which no image can be read."""
    first = min(bad)
    reason = f"{printable(listing.path(first))}: {bad[first]}"
    if not len(good):
        raise InputError(
            f"none of the {len(listing)} image files in {listing.root} can be read, the first is "
            f"{reason}"
        )
    if listing.labels is None:
        return
    left = set(listing.labels[good].tolist())
    for index in sorted(bad):
        if (label := listing.labels[index]) not in left:
            count = np.count_nonzero(listing.labels == label)
            raise InputError(
                f"none of the {count} images of the class {listing.class_names[label]!r} in "
                f"{listing.root} can be read, the first is {printable(listing.path(index))}: "
                f"{bad[index]}; remove its folder, or make the files anew"
            )


def _brightest(images):
    """The highest value of each image, up to the first that is not dark."""
    values = []
    for image in images:
        values.append(image.max())
        if values[-1] >= value_range.DARK:
            break
    return np.array(values)


def _range_notes(ranges, brightest):
    """What a user should know of black and white, by the ranges and `_brightest`."""
    unusual = {k: found for k, found in ranges.items() if found != value_range.BYTE_RANGE}
    # One that is stated is that of all kinds.
    notes = [value_range.note(found) for found in dict.fromkeys(unusual.values())]
    used = next(iter(unusual.values()), value_range.BYTE_RANGE)
    return [*notes, *value_range.dark_notes(brightest, used)]


# Fingerprints ------------------------------------------------------------------------------------


def _fingerprint_of_images(shape, prints, labels):
    """16 hex digits of what training sees, however the files are called."""
    digest = hashlib.blake2b(repr(shape).encode(), digest_size=8)
    digest.update(prints)
    digest.update(b"" if labels is None else labels)
    return digest.hexdigest()


def _fingerprint_of_files(listing, reading):
    """16 hex digits of the files' names and sizes and of bytes of files spread over the folder."""
    digest = hashlib.blake2b(listing.names + listing.sizes.tobytes(), digest_size=8)
    digest.update(repr((*reading[:3], sorted(reading.ranges.items()))).encode())
    for index in _spread(len(listing), _SAMPLED_FILES):
        size = int(listing.sizes[index])
        if size < 0:
            continue  # a broken link
        places = np.linspace(0, max(0, size - _SAMPLED_BYTES), _SAMPLED_PLACES).astype(int)
        try:
            with listing.open(index) as file:
                for place in places:
                    file.seek(place)
                    digest.update(file.read(_SAMPLED_BYTES))
        except OSError as error:
            raise bad_image_error(listing.path(index), error.strerror or error) from error
    return digest.hexdigest()
