"""Real picture files and npz arrays, made afresh for each test."""

import numpy as np
import pytest
from PIL import Image


def smooth_picture(height, width, seed=0):
    """A smooth random RGB picture: survives JPEG, and no two seeds look alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def gradient():
    return smooth_picture


def write_photos(folder):
    """12 JPEG files of several sizes, even ones in "cat", odd ones in "dog"."""
    root = folder / "photos"
    for index in range(12):
        path = root / ("cat", "dog")[index % 2] / f"{index:02d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        smooth_picture(40 + 3 * index, 50 - 2 * index, seed=index).save(path, quality=95)
    return root


@pytest.fixture
def photos(tmp_path):
    return write_photos(tmp_path)


@pytest.fixture
def mnist_like():
    """Arrays in MNIST's layout."""
    rng = np.random.default_rng(3)
    return {
        "x_train": rng.integers(0, 256, (30, 28, 28), np.uint8),
        "y_train": (np.arange(30) % 10).astype(np.uint8),
        "x_test": rng.integers(0, 256, (10, 28, 28), np.uint8),
        "y_test": (np.arange(10) % 10).astype(np.uint8),
    }
