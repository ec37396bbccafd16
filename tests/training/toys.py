"""Tiny runs for the tests of this folder."""

from keras_gans import training
from keras_gans.recipes import RECIPES

SMALL = {"filters": (4, 4)}


def recipe_of(variant, data, **settings):
    """A recipe of 8 steps an epoch on the file of the fixture `data`."""
    return RECIPES[variant](
        dataset=f"npz:{data}", **{"epochs": 2, "batch_size": 8, **SMALL, **settings}
    )


def whole_run(recipe, folder):
    """Trains a run that nobody disturbs; returns its folder and its model."""
    run = training.prepare(recipe)
    directory = training.create(run, folder, "whole")
    training.train(run, directory)
    return directory, run.model
