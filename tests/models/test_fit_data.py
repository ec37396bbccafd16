"""What `fit` is given to read: taken as Keras takes it, or refused in a line before it trains."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_gans as kg
from keras_gans.data.arrays import ArraySplit
from keras_gans.errors import InputError
from keras_gans.models import Autoencoder
from tests.contract import LATENT_DIM
from tests.models.toys import IMAGES, LABELS, autoencoder, conditional_gan, fitted, gan

SPLIT = ArraySplit(np.zeros((8, 8, 8, 1), np.uint8))
SOURCE = kg.data.Source("toy", (8, 8, 1), None, SPLIT, None, "0" * 16)
from_slices = tf.data.Dataset.from_tensor_slices


@pytest.fixture(scope="module")
def untrained():
    return conditional_gan()


def batches(*given):
    yield from given


def refusal(model, *data, **arguments):
    """The message, of one line, with which `fit` refuses data before a step is done."""
    before = model.steps_done
    with pytest.raises(InputError) as refused:
        model.fit(*data, verbose=0, **arguments)
    (line,) = str(refused.value).splitlines()
    assert model.steps_done == before
    return line


# No data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "cure", "came"),
    [
        ((), "", "None"),
        (("photos",), "load_source('folder:PATH')", "'photos'"),
        ((pathlib.PurePosixPath("a/b"),), "load_source(", "PurePosixPath('a/b')"),
        ((SOURCE,), "kg.data.batches(source.train, batch_size, seed=0)", "Source"),
        ((SPLIT,), "kg.data.batches(split, batch_size, seed=0)", "ArraySplit"),
        ((list(IMAGES),), "np.stack(images)", "a list of 20"),
        (((IMAGES, LABELS),), "labels, or images of Y, are the next argument", "[20, 8, 8, 1], "),
        (([Image.new("L", (8, 8))] * 3,), "np.stack(images)", "a list of 3"),
        (({"image": IMAGES},), "the images alone", "dict of image"),
        ((batches,), "what calling it returns", "function"),
        ((iter([IMAGES]),), "(batch for batch in iterator)", "list_iterator"),
        ((iter(from_slices(IMAGES).batch(4)),), "what it iterates over", "OwnedIterator"),
        ((3,), "", "3"),
    ],
)
def test_what_is_no_data_is_refused_with_the_cure(untrained, data, cure, came):
    said = refusal(untrained, *data)
    assert said.startswith("ConditionalGAN.fit must be given an array of images [n, h, w, c], or ")
    assert cure in said
    assert came in said.partition(" Received: ")[2]


def test_a_list_of_images_as_wide_as_a_batch_is_not_taken_for_batches():
    """Keras would slice rows off each and shuffle those; the shape would fit by chance."""
    assert "np.stack(images)" in refusal(gan(), list(IMAGES[:8]), batch_size=8)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[:0], r"at least one image\. Received: float32 of shape \[0, 8, 8, 1\]"),
        (np.float32(0.5), r"at least one image\. Received: float32 of shape \[\]"),
        (np.array([IMAGES[0], IMAGES[0][:4]], dtype=object), r"brought to one.* object of shape"),
        (np.array(["a.png", "b.png"]), r"array of floats .* Received: str"),
    ],
)
def test_an_array_without_images_is_refused(untrained, images, message):
    with pytest.raises(InputError, match=message):
        untrained.fit(images, verbose=0)


@pytest.mark.parametrize(
    ("labels", "came"),
    [
        (LABELS[:19], "as many labels, or images of Y, as images. Received: 19 and 20"),
        ([], "Received: 0 and 20"),
        ("labels.csv", "one for each image. Received: 'labels.csv'"),
        ({"label": LABELS}, "one for each image. Received: dict of label"),
        ([[0], [1, 2]] * 10, "one for each image. Received: '[[0], [1, 2], "),
    ],
)
def test_labels_that_are_not_one_an_image_are_refused(untrained, labels, came):
    assert came in refusal(untrained, IMAGES, labels)


# Datasets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (from_slices(IMAGES[:0]).batch(4), "at least one batch. Received: an empty dataset"),
        (from_slices(IMAGES).batch(4).repeat(), "given steps_per_epoch with a dataset without end"),
        (kg.data.batches(SPLIT, 8, seed=0), "kg.data.steps_per_epoch(split, batch_size)"),
        (
            from_slices((IMAGES, LABELS, LABELS)).batch(4),
            "batches take no sample_weight: they would be",
        ),
        (from_slices({"image": IMAGES}).batch(4), "dataset.map(lambda each: (each['image'], "),
        (from_slices((IMAGES, {"a": LABELS})).batch(4), "one array in a batch. Received: dict"),
        (from_slices((IMAGES, LABELS.astype(str))).batch(4), "class_names.index(name)"),
        (from_slices((IMAGES, LABELS)), "dataset.batch(batch_size)). Received: [8, 8, 1]"),
    ],
)
def test_a_dataset_of_others_is_refused(untrained, dataset, message):
    assert message in refusal(untrained, dataset)


def test_an_epoch_without_a_batch_is_no_training():
    """That there is none shows only when it is read."""
    nothing = from_slices((IMAGES, LABELS)).filter(lambda *_: False).batch(4)
    said = refusal(conditional_gan(run_eagerly=True), nothing)
    assert said == "ConditionalGAN.fit must be given at least one batch. Received: none"


# Generators --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "came"),
    [
        (IMAGES, "float32 of shape [20, 8, 8, 1]"),
        ([IMAGES, LABELS], "a list of 2"),
        (3, "3"),
        ("a.png", "'a.png'"),
        ((Image.new("L", (8, 8)), 0), "(Image, 0)"),
        ((None, LABELS), "(None, int64 of shape [20])"),
        ((IMAGES, LABELS, LABELS), "[20], int64 of shape [20])"),
        (({"image": IMAGES},), "(dict of image)"),
    ],
)
def test_a_generator_of_others_is_refused(untrained, first, came):
    said = refusal(untrained, batches(first))
    assert "images must be yielded by a generator as tuples of a batch's arrays" in said
    assert said.endswith(f"Received: {came}") or came in said


def test_a_generator_is_gone_through_once(untrained):
    assert "at least one batch. Received: an empty generator" in refusal(untrained, batches())
    said = refusal(untrained, batches((IMAGES, LABELS)), epochs=2)
    assert "must be given steps_per_epoch with a generator" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "later", "message"),
    [
        (
            lambda: conditional_gan(run_eagerly=True),
            IMAGES,
            "(images, labels). Received: float32 of shape 20, 8, 8, 1",
        ),
        (
            lambda: autoencoder(Autoencoder, LATENT_DIM),
            (IMAGES[:10, :4], LABELS[:10]),
            "images must be of one size in all batches. Received: 8, 8, 1 and 4, 8, 1",
        ),
    ],
    ids=["eagerly", "in a graph"],
)
def test_a_later_batch_of_a_generator_is_refused_in_a_line_too(model, later, message):
    model = model()
    good = [(IMAGES[:10], LABELS[:10])] * 2
    with pytest.raises(InputError) as refused:
        model.fit(batches(*good, later), verbose=0)
    (line,) = str(refused.value).splitlines()
    assert line.endswith(message)
    assert model.steps_done == 2


@pytest.mark.slow
def test_a_generator_trains_as_an_array_does():
    models = [conditional_gan(run_eagerly=True) for _ in range(2)]
    fitted(models[0], IMAGES, LABELS, epochs=1)
    parts = (IMAGES[:10], LABELS[:10]), (IMAGES[10:], LABELS[10:])
    models[1].fit(batches(*parts), verbose=0, shuffle=False)
    assert models[1].steps_done == 2
    for one, other in zip(*(model.variables for model in models), strict=True):
        np.testing.assert_array_equal(one, other)
