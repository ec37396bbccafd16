"""Data of tiny runs, and runs that are finished."""

import numpy as np
import pytest
from PIL import Image

from keras_gans.recipes import RECIPES
from tests.apps.processes import write_npz
from tests.training.toys import finished_run, recipe_of, save_untrained


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """The path of a data set of 64 images of 8 x 8 in three classes; do not touch."""
    return write_npz(tmp_path_factory.mktemp("data") / "data.npz")


@pytest.fixture(scope="session")
def cgan(data, tmp_path_factory):
    """A run of one step, with rates that do not change: a `Finished`; do not touch."""
    settings = {"epochs": 1, "batch_size": 64, "evaluate_epochs": 0, "sample_epochs": 100}
    recipe = recipe_of("cgan", data, learning_rate_decay="none", **settings)
    return finished_run(recipe, tmp_path_factory.mktemp("cgan"))


@pytest.fixture(scope="session")
def domains(tmp_path_factory):
    """The name of two folders of pictures in colour, for a translation."""
    folder, random = tmp_path_factory.mktemp("domains"), np.random.default_rng(0)
    for name in ("x", "y"):
        (folder / name).mkdir()
        for index in range(48):
            image = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
            image.save(folder / name / f"{index}.png")
    return f"folders:{folder}/x,{folder}/y"


@pytest.fixture(scope="session")
def cyclegan(domains, tmp_path_factory):
    """A run with the weights that it began with: a `Finished`; do not touch."""
    sizes = {"generator_filters": 2, "blocks": 1, "discriminator_filters": 2, "halvings": 1}
    settings = {"image_size": 8, "epochs": 1, "batch_size": 48, **sizes}
    recipe = RECIPES["cyclegan"](dataset=domains, **settings)
    return finished_run(recipe, tmp_path_factory.mktemp("cyclegan"), save_untrained)
