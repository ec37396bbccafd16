"""CHANGELOG.md: its versions, and new names that exist where old ones do not."""

import importlib
import re
from pathlib import Path

import pytest

import keras_gans as kg

PAGE = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_newest_released_version_is_the_packages():
    versions = re.findall(r"^## \[(.+?)\]( - \d{4}-\d\d-\d\d)?$", PAGE, re.M)
    assert versions[0] == ("Unreleased", "")
    assert versions[1][0] == kg.__version__
    assert all(date for _, date in versions[1:])


def names(cell):
    """Full names of `a.b.c`, `.d`: what begins with a dot stands in the same package."""
    package = ""
    for name in re.findall(r"`([\w.]+)`", cell):
        full = package + name if name.startswith(".") else name
        package = full.rpartition(".")[0]
        yield full


MODULES = re.findall(r"^\| (`(?:keras_gans|apps)\..+?) \| (.+?) \|$", PAGE, re.M)


def exists(name):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        package, _, attribute = name.rpartition(".")
        return (
            bool(package)
            and exists(package)
            and hasattr(importlib.import_module(package), attribute)
        )
    return True


@pytest.mark.parametrize(("old", "new"), MODULES)
def test_what_moved_is_where_the_page_says(old, new):
    assert [name for name in names(new) if not exists(name)] == []
    kept = {"keras_gans.evaluation"}  # a module then, a package now
    assert {name for name in names(old) if exists(name)} <= kept


def test_every_move_is_looked_at():
    assert len(MODULES) > 15
