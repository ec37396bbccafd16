"""The callback that draws samples while a model trains."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_gans as kg
from tests.apps.processes import logged
from tests.models.test_cgan import TestConditionalGAN as ConditionalToy
from tests.models.test_gan import TestGAN as Toy


@pytest.mark.slow
def test_a_grid_of_a_conditional_model_has_a_column_a_class(tmp_path):
    toy = ConditionalToy()
    model = toy.compiled(run_eagerly=True)
    grid = kg.callbacks.SampleGrid(tmp_path, epochs=2, last_epoch=3, rows=4)
    model.fit(*toy.data(8), batch_size=8, epochs=3, verbose=0, callbacks=[grid])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch_0002.png", "epoch_0003.png"]
    with Image.open(tmp_path / "epoch_0003.png") as picture:
        assert picture.size == (3 * 8, 4 * 8)
        pixels = np.array(picture)
    # Column j is class j: the same picture as asked for one by one.
    sampler = kg.serving.Sampler.from_model(model)
    for row, column in ((0, 0), (3, 2)):
        image = kg.data.pixels.to_uint8(sampler.images([row * 3 + column], [column]))[0, ..., 0]
        tile = pixels[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8]
        np.testing.assert_array_equal(tile, image)


@pytest.mark.slow
def test_an_image_does_not_depend_on_its_company():
    sampler = kg.serving.Sampler.from_model(Toy().compiled())
    many = sampler.images(range(250))
    assert many.shape == (250, 8, 8, 1)
    for seed in (0, 99, 100, 249):
        np.testing.assert_array_equal(sampler.images([seed])[0], many[seed])


@pytest.mark.slow
def test_other_pictures_go_to_files_and_tensorboard_by_their_names(tmp_path):
    toy = Toy()
    model = toy.compiled(run_eagerly=True)
    pictures = {
        name: lambda endpoints, value=value: np.full((4, 6, 3), value, np.uint8)
        for name, value in (("first", 10), ("second", 20))
    }
    writer = tf.summary.create_file_writer(str(tmp_path))
    grid = kg.callbacks.SampleGrid(tmp_path / "samples", 1, writer=writer, pictures=pictures)
    model.fit(*toy.data(8), batch_size=8, epochs=1, verbose=0, callbacks=[grid])
    writer.close()
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert names == ["epoch_0001.png", "second_0001.png"]
    with Image.open(tmp_path / "samples" / "second_0001.png") as picture:
        assert np.unique(np.array(picture)).tolist() == [20]
    assert {name: list(logged(tmp_path)[name]) for name in pictures} == {
        "first": [1],
        "second": [1],
    }
