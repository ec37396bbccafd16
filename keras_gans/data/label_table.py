"""Labels from a table beside the pictures: a CSV file, or the `dataset.json` of StyleGAN."""

import collections
import csv
import io
import json
import re
import unicodedata

from keras_gans.data.naming import printable, shortened
from keras_gans.errors import InputError

TABLES = ("metadata.csv", "labels.csv", "dataset.json")  # the first that is there counts
FILE_COLUMNS = ("file_name", "filename", "file", "image", "path")
LABEL_COLUMNS = ("label", "class", "class_name", "category", "labels", "target")
_NEGATIVE = re.compile(r"-[0-9.]+")


def read_table(what, contents):
    """Reads `{file: class's name}`, and why there is none where a table states no labels.

    Args:
        what: The table's path, for errors; its ending says what it is.
        contents: Bytes. A CSV file has a header with one of `FILE_COLUMNS` and one of
            `LABEL_COLUMNS`. A JSON file holds `{"labels": [[file, label], ...]}`, or null for them.

    Returns:
        `(labels, reason)`, one of them None.

    Raises:
        InputError: The table is damaged, a label is missing or no class, or a file has two.
    """
    try:
        text = contents.decode("utf-8-sig")
        rows = _json_rows(text) if what.endswith(".json") else _csv_rows(text)
        if isinstance(rows, str):
            return None, rows
        labels = {}
        for place, file, label in rows:
            if not isinstance(file, str) or not file.strip():
                name = printable(str(file))[:80]
                raise ValueError(f"a file must be named by text. Received: {name}")
            name = file.strip().replace("\\", "/").removeprefix("./")
            if labels.setdefault(name, label) != label:
                raise ValueError(f"{place}: {name} has two labels, {labels[name]} and {label}")
    except (ValueError, RecursionError, csv.Error) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"the labels in {what} cannot be used: {reason}") from error
    if not labels:
        raise InputError(f"{what} names no file")
    return labels, None


def match_table(what, labels, names, is_there):
    """Finds the label of each picture; returns `[class's name or None]` for `names`.

    A table may name files by their path below its folder, or by what follows the last `/` alone.
    Letters with marks are the same however they are put together: macOS takes them apart.

    Args:
        what, labels: The table's path and its `{file: class's name}`.
        names: Of the pictures.
        is_there: Function that says whether there is a file of a name, picture or not.

    Raises:
        InputError: The table names files that are no pictures or not there, or a picture by two
            names and with two labels.
    """
    found = {name: name for name in names}
    if not labels.keys() <= found.keys():
        wholes = [_composed(name) for name in names]
        lasts = [whole.rpartition("/")[2] for whole in wholes]
        found = _single(lasts, names) | _single(wholes, names) | found
    places = {name: found.get(name) or found.get(_composed(name)) for name in labels}
    if lost := [name for name, place in places.items() if place is None]:
        if others := [name for name in lost if is_there(name)]:
            raise InputError(
                f"{what} names {len(others):,} files that are no pictures that can be read: "
                f"{shortened(others)}: convert them, or remove their lines"
            )
        raise InputError(
            f"{what} names {len(lost):,} files that are not beside it: {shortened(lost)}: "
            "remove their lines, or add the files"
        )
    matched = {}
    for name, label in labels.items():
        if matched.setdefault(places[name], label) != label:
            both = f"{matched[places[name]]} and {label}"
            raise InputError(
                f"the labels in {what} cannot be used: {printable(places[name])} has two labels, "
                f"{both}, as {printable(name)} is the same file"
            )
    return [matched.get(name) for name in names]


def _composed(name):
    return unicodedata.normalize("NFC", name)


def _single(keys, names):
    """`{key: name}` of the keys that one name alone has."""
    counts = collections.Counter(keys)
    return {key: name for key, name in zip(keys, names, strict=True) if counts[key] == 1}


def _csv_rows(text):
    """Yields `(place, file, label)` of each line; a text if there is no column of labels."""
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    columns = {name.strip().lower(): name for name in reader.fieldnames or () if name}
    file, label = (
        next((columns[name] for name in names if name in columns), None)
        for names in (FILE_COLUMNS, LABEL_COLUMNS)
    )
    if file is None and label is not None:
        raise ValueError(
            f"its first line must name a column file_name. Received: {shortened(columns)}"
        )
    if label is None:
        return f"it has no column {' or '.join(LABEL_COLUMNS[:2])}, only {shortened(columns)}"
    return (
        (f"line {reader.line_num}", row[file], _class_name(f"line {reader.line_num}", row[label]))
        for row in reader
    )


def _json_rows(text):
    """Yields `(place, file, label)` of each entry; a text if there are no labels."""
    table = json.loads(text)
    entries = table.get("labels") if isinstance(table, dict) else None
    if entries is None:
        return "it holds no labels"
    if isinstance(entries, dict):
        entries = list(entries.items())
    if not isinstance(entries, list):
        raise ValueError('it must hold {"labels": [[file, label], ...]}')
    return (_json_row(f"entry {number}", entry) for number, entry in enumerate(entries))


def _json_row(place, entry):
    if not isinstance(entry, list | tuple) or len(entry) != 2:
        raise ValueError(f"{place} must be [file, label]. Received: {str(entry)[:80]}")
    file, label = entry
    if isinstance(label, bool) or not isinstance(label, int | str):
        raise ValueError(f"{place}: a label must be an integer from 0. Received: {str(label)[:80]}")
    return place, file, _class_name(place, str(label))


def _class_name(place, label):
    label = (label or "").strip()
    if not label:
        raise ValueError(f"{place} has no label: leave the file out, or name its class")
    if _NEGATIVE.fullmatch(label):
        raise ValueError(f"{place}: a label must be a name or at least 0. Received: {label}")
    return label
