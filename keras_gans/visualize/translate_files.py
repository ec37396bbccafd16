"""Translates picture files and folders of them into PNG files."""

import collections
from pathlib import Path, PurePath

from keras_gans.data.image_file import read_whole
from keras_gans.data.listing import list_images
from keras_gans.errors import InputError
from keras_gans.serving.tiles import in_gib
from keras_gans.visualize.images import save_png

TOLD_BYTES = 2**30


def pair_files(images, out):
    """Finds a PNG file in the folder `out` for the translation of every picture, each its own.

    `images` is a picture file, or a folder: then sub-folders stay, and a name that two pictures
    share, or that another one's would be taken for, keeps its ending.

    Returns:
        `(count, pairs, notes)`: how many; a generator of `(picture, PNG file)`, both `Path`; pairs
        of a heading and a text about what was left out.

    Raises:
        InputError: If there are no pictures, or a file would be overwritten in the folder of the
            picture or, of a folder, anywhere in it: a picture, or an earlier translation, which
            would be translated too.
    """
    path, out = Path(images), Path(out)
    if path.is_dir():
        listing = list_images(path, labelled=False)
        root, count, name_of, notes = Path(listing.root), len(listing), listing.name, listing.notes
    elif path.is_file():
        root, count, name_of, notes = path.parent, 1, lambda _: path.name, ()
    else:
        raise InputError(f"{path} is neither a picture file nor a folder")

    def stem_of(index):
        return str(PurePath(name_of(index)).with_suffix(""))

    stems = collections.Counter(map(stem_of, range(count)))
    shared = {stem for stem, uses in stems.items() if uses > 1}
    shared |= stems.keys() & set(map(name_of, range(count)))

    def pairs():
        for index in range(count):
            name, stem = name_of(index), stem_of(index)
            yield root / name, out / f"{name if stem in shared else stem}.png"

    given = root.resolve()
    for _, target in pairs():
        folder = target.resolve().parent
        is_beside = folder.is_relative_to(given) if path.is_dir() else folder == given
        if is_beside and target.exists():
            raise InputError(f"{target} would be overwritten: choose another folder with --out")
    return count, pairs(), notes


def translate_file(
    translator,
    source,
    target,
    max_side=None,
    ranges=None,
    max_megapixels=None,
    tile_side=None,
    tell=None,
):
    """Writes the translation of the picture `source` as a PNG `target`, whole or not at all.

    Args:
        translator: Of `serving.sampling.make_translator`.
        source, target: Paths.
        max_side: px; a picture with a longer side is reduced to that. With None none is.
        ranges, max_megapixels: See `read_whole`.
        tile_side: px of the tiles that it is translated in; None: whole where that fits into
            memory, else the largest tiles that do.
        tell: Function that is told, in words, of a picture that takes much memory or tiles, before
            it is translated; None for nobody.

    Raises:
        BadImageError: If the picture cannot be read.
        InputError: If no tile of it fits into memory.
        OSError: If the file cannot be written.
    """
    picture = read_whole(source, translator.channels, max_side, ranges, max_megapixels)
    height, width = picture.shape[:2]
    size = f"{source} ({width:,} x {height:,} px)"
    try:
        plan = translator.plan(height, width, tile_side)
    except InputError as error:
        raise InputError(f"{size}: {error}; --max-side N reduces it") from error
    if tell and plan.side is not None:
        tell(
            f"{size}: in {plan.count:,} tiles of {plan.side:,} px, {in_gib(plan.bytes)}, with the "
            "statistics of the picture reduced to one"
        )
    elif tell and (plan.bytes or 0) >= TOLD_BYTES:
        tell(f"{size}: as a whole, {in_gib(plan.bytes)}")
    save_png(translator(picture, plan), target)
