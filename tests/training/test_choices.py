"""Settings by the number of images, their sizes and the device, as a table."""

import pytest

from keras_gans.training.choices import (
    choose_batch_of_run,
    choose_batch_size,
    choose_epochs,
    choose_own_epochs,
    choose_precision_name,
    choose_sample_epochs,
    is_own,
)


@pytest.mark.parametrize(
    ("asked", "default", "images", "smallest", "batch", "is_told"),
    [
        (128, 128, 60_000, 2, 128, False),
        (128, 128, 128, 2, 128, False),
        (128, 128, 127, 2, 64, True),
        (64, 64, 50, 2, 32, True),
        (128, 128, 3, 2, 2, True),
        (320, 320, 200, 2, 160, True),
        (32, 128, 20, 2, 32, False),  # asked for, and then refused
        (128, 128, 1, 2, 128, False),
        (128, 128, 1, 1, 1, True),
        (64, 64, 7, 5, 5, True),  # of WGAN-GP, an image for each of the critic's updates
        (64, 64, 11, 5, 8, True),
        (64, 64, 4, 5, 64, False),
    ],
)
def test_batch_size(asked, default, images, smallest, batch, is_told):
    size, reason = choose_batch_size(asked, default, images, smallest)
    assert size == batch
    assert (reason is not None) == is_told
    if is_told:
        assert f"only {images} images" in reason


@pytest.mark.parametrize(
    ("smallest", "images", "in_all", "batch", "reason"),
    [
        (32, 60_000, 1_200_000, 128, None),
        (32, 10_000, 384_000, 128, None),  # just 3,000 steps
        (32, 10_000, 380_000, 64, "as 380,000 images to train on need more steps"),
        (32, 1_797, 26_955, 32, "as 26,955 images to train on need more steps"),
        (128, 1_797, 26_955, 128, None),
        (32, 100, 900_000, 64, "as there are only 100 images"),
        (32, 100, 1000, 32, "as 1,000 images to train on need more steps"),
        (32, 20, 1000, 16, "as there are only 20 images"),
    ],
)
def test_a_short_run_has_smaller_batches(smallest, images, in_all, batch, reason):
    words = None if reason is None else f"instead of 128, {reason}"
    assert choose_batch_of_run(128, smallest, 3000, images, in_all) == (batch, words)


@pytest.mark.parametrize(
    ("images", "to_see", "most", "epochs", "words"),
    [
        (1_792, 600_000, 60, 60, "60 are enough for this data"),
        (60_000, 600_000, 60, 10, "about 600,000 images to see, 60,000 of them in each"),
        (2_000_000, 600_000, 200, 1, "600,000 images"),
    ],
)
def test_epochs_of_known_data(images, to_see, most, epochs, words):
    found, reason = choose_epochs(images, to_see, most)
    assert found == epochs
    assert words in reason


@pytest.mark.parametrize(
    ("images", "to_see", "side", "on_gpu", "epochs", "words"),
    [
        (384, 600_000, 32, False, 1562, "about 600,000 images to see; 384 in each epoch"),
        (384, 600_000, 64, False, 391, "about 150,000 images to see, 0.25 of what they would be"),
        (384, 600_000, 64, True, 1562, "about 600,000 images to see; 384 in each epoch"),
        (384, 600_000, 256, False, 195, "about 75,000 images to see, 0.12 of"),
        (60_000, 600_000, 16, False, 10, "600,000 images"),
        (2_000_000, 600_000, 64, False, 1, "150,000 images"),
    ],
)
def test_epochs_of_own_data(images, to_see, side, on_gpu, epochs, words):
    found, reason = choose_own_epochs(images, to_see, side**2, on_gpu)
    assert found == epochs
    assert words in reason


@pytest.mark.parametrize(
    ("asked", "epochs", "between"), [(5, 60, 5), (5, 300, 5), (5, 1562, 27), (7, 1562, 7)]
)
def test_epochs_between_grids(asked, epochs, between):
    assert choose_sample_epochs(asked, 5, epochs) == between


@pytest.mark.parametrize(
    ("asked", "dataset", "on_gpu", "name"),
    [
        (None, "folder:a", False, "float32"),
        (None, "folder:a", True, "auto"),
        (None, "npz:a", True, "auto"),
        (None, "mnist", True, "float32"),
        ("float32", "folder:a", True, "float32"),
        ("auto", "mnist", False, "auto"),
    ],
)
def test_precision(asked, dataset, on_gpu, name):
    assert choose_precision_name(asked, dataset, on_gpu) == name


def test_whose_data_it_is():
    assert [is_own(name) for name in ("folder:x.zip", "npz:x", "digits", "folders:a,b")] == [
        *(True, True, False, False)
    ]
