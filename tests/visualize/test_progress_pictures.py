"""Pictures of a model's progress, chosen by what it can do."""

import numpy as np
import pytest

from keras_gans.data import Source, UnpairedSource, pixels
from keras_gans.data.arrays import ArraySplit
from keras_gans.recipes import RECIPES
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.sampling import Sampler
from keras_gans.visualize import progress_pictures
from keras_gans.visualize.progress_pictures import sample_grid, translations
from tests.models.test_cgan import TestConditionalGAN as ConditionalToy
from tests.models.test_gan import TestGAN as Toy
from tests.recipes.toys import toy_source

CODES = ["reconstructions", "latent_space", "manifold", "walks"]


def answering(*names):
    return Endpoints(dict.fromkeys(names), {}, None)


@pytest.mark.parametrize(
    ("endpoints", "names"),
    [
        (("generate", "serving_default"), ["samples"]),
        (("encode", "decode", "reconstruct"), CODES),
        (("generate", "encode", "decode", "reconstruct"), ["samples", *CODES]),
        (("translate_x_to_y", "translate_y_to_x"), ["samples"]),
        (("encode",), []),
    ],
)
def test_what_a_model_can_do_chooses_the_pictures(endpoints, names):
    made = progress_pictures.progress_pictures(answering(*endpoints), toy_source())
    assert list(made) == names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "settings"),
    [
        ("vae", {}),
        ("autoencoder", {}),
        ("aae", {"prior": "gaussian_mixture"}),
        ("aae", {"prior": "gaussian_mixture", "label_conditioning": True}),
    ],
)
def test_pictures_of_codes_are_drawn_of_the_model(variant, settings):
    data = toy_source(count=128)
    recipe = RECIPES[variant](units=(4,), latent_dim=2, **settings)
    endpoints = Endpoints.from_model(recipe.build(data))
    pictures = progress_pictures.progress_pictures(endpoints, data)
    # The one that `epoch_0001.png` shows.
    assert next(iter(pictures)) == ("reconstructions" if variant == "autoencoder" else "samples")
    for name, draw in pictures.items():
        picture = draw(endpoints)
        assert picture.dtype == np.uint8, name
        assert picture.ndim == 3, name


def test_a_grid_counts_seeds_row_by_row():
    endpoints = Endpoints.from_model(Toy().compiled())
    grid = sample_grid(endpoints, rows=2)
    samples = pixels.to_uint8(Sampler.from_endpoints(endpoints).images(range(20)))
    tiles = grid.reshape(2, 8, 10, 8, 1).swapaxes(1, 2).reshape(20, 8, 8, 1)
    np.testing.assert_array_equal(tiles, samples)


def test_a_grid_of_classes_has_a_column_a_class():
    endpoints = Endpoints.from_model(ConditionalToy().compiled())
    count = len(endpoints.class_names)
    grid = sample_grid(endpoints, rows=3)
    sampler = Sampler.from_endpoints(endpoints)
    samples = pixels.to_uint8(sampler.images(range(3 * count), [*range(count)] * 3))
    tiles = grid.reshape(3, 8, count, 8, 1).swapaxes(1, 2).reshape(-1, 8, 8, 1)
    np.testing.assert_array_equal(tiles, samples)


def test_translations_show_both_ways_there_and_back():
    def domain(name, count, seed):
        images = np.random.default_rng(seed).integers(0, 256, (count, 8, 12, 3), np.uint8)
        images[:, 0, 0] = np.arange(count)[:, None]
        return Source(name, (8, 12, 3), None, ArraySplit(images, None), None, name)

    def there(image):
        return {"image": image / 2}

    def back(image):
        return {"image": -image}

    functions = {"translate_x_to_y": there, "translate_y_to_x": back}
    data = UnpairedSource("toy", domain("x", 24, 0), domain("y", 40, 1))
    picture = translations(Endpoints(functions, {}, None), data)
    assert picture.shape == (6 * 8, 10 * 12, 3)
    rows = picture.reshape(6, 8, 10, 12, 3).swapaxes(1, 2)
    x, y = ((rows[row] / 127.5) - 1.0 for row in (0, 3))
    expected = [x, x / 2, -x / 2, y, -y, -y / 2]
    for row, made in zip(rows, expected, strict=True):
        np.testing.assert_allclose(row, (made + 1) * 127.5, atol=0.6)
    # From the first image to the last.
    assert rows[0, :, 0, 0, 0].tolist() == np.linspace(0, 23, 10).round().tolist()
    assert rows[3, :, 0, 0, 0].tolist() == np.linspace(0, 39, 10).round().tolist()
