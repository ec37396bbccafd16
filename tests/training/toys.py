"""Tiny runs for tests, and what they may leave out."""

import contextlib
from pathlib import Path
from typing import NamedTuple

import keras
import pytest

from keras_gans import training
from keras_gans.recipes import RECIPES, Recipe
from keras_gans.serving import export

SMALL = {"filters": (4, 4)}


def recipe_of(variant, data, **settings):
    """A recipe of 8 steps an epoch on the file of the fixture `data`."""
    return RECIPES[variant](
        dataset=f"npz:{data}", **{"epochs": 2, "batch_size": 8, **SMALL, **settings}
    )


def without_graph(run):
    """Lets a run take its steps one by one: for a few of them a graph takes longer to build."""
    run.model.run_eagerly = True
    return run


def whole_run(recipe, folder):
    """Trains a run of few steps that nobody disturbs; returns its folder and its model."""
    run = without_graph(training.prepare(recipe))
    directory = training.create(run, folder, "whole")
    training.train(run, directory)
    return directory, run.model


class Finished(NamedTuple):
    """A run that was exported."""

    run: Path
    export: Path  # the folder of its versions
    model: keras.Model
    recipe: Recipe


@contextlib.contextmanager
def unchecked_exports():
    """Leaves out what an export is checked by, 1 to 3 s of a C++ loader, where no test is of it.

    tests/serving and the contract of the variants have exports that are checked.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "_check", lambda *_: None)
        yield


def save_untrained(run, directory):
    """Instead of `training.train`, where no weights need have moved."""
    run.model.save(directory / "checkpoint.keras")


def finished_run(recipe, folder, train=training.train):
    """Trains a run of few steps and exports it; returns a `Finished`."""
    run = without_graph(training.prepare(recipe))
    directory = training.create(run, folder / "runs", recipe.variant)
    train(run, directory)
    with unchecked_exports():
        training.finish(run, directory, folder / "exports")
    return Finished(directory, folder / "exports" / recipe.variant, run.model, run.recipe)
