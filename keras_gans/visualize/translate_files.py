"""Translates picture files and folders of them into PNG files."""

import collections
from pathlib import Path, PurePath

from keras_gans.data.image_file import read_whole
from keras_gans.data.listing import list_images
from keras_gans.errors import InputError
from keras_gans.visualize.images import save_png


def pair_files(images, out):
    """Finds a PNG file in the folder `out` for the translation of every picture.

    `images` is a picture file, or a folder: then sub-folders stay, and a name that two pictures
    share keeps its ending.

    Returns:
        `(count, pairs, notes)`: how many; a generator of `(picture, PNG file)`, both `Path`, which
        raises InputError for a picture that would be overwritten; pairs of a heading and a text
        about what was left out.

    Raises:
        InputError: If there are no pictures.
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

    def pairs():
        for index in range(count):
            name, stem = name_of(index), stem_of(index)
            source, target = root / name, out / f"{name if stem in shared else stem}.png"
            if target.resolve() == source.resolve():
                raise InputError(f"{source} would be overwritten: choose another folder with --out")
            yield source, target

    return count, pairs(), notes


def translate_file(translator, source, target, max_side=None, ranges=None, max_megapixels=None):
    """Writes the translation of the picture `source` as a PNG `target`, whole or not at all.

    `translator` comes from `serving.sampling.make_translator`. A picture with a side longer than
    `max_side` pixels is reduced to that; with None none is. For the rest see `read_whole`.

    Raises:
        BadImageError: If the picture cannot be read.
        OSError: If the file cannot be written.
    """
    picture = read_whole(source, translator.channels, max_side, ranges, max_megapixels)
    save_png(translator(picture), target)
