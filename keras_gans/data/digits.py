"""Makes data sets of digits that need no network: on black, and blended into photos.

`digits-m` is MNIST-M's recipe (Ganin et al. 2016, arXiv 1505.07818) with what scikit-learn
carries: a digit on black is taken from a random patch of a photo, `|patch - digit|`, so that
its strokes show the patch's negative.
"""

import numpy as np
from PIL import Image

from keras_gans.data.npz import Labelled, labelled

SIDE = 28
_SEED = 0
_FILTER = Image.Resampling.LANCZOS


def digits():
    """Loads scikit-learn's 1,797 digits, uint8 `[n, 28, 28, 1]`, and their labels, as `Labelled`.

    From 8 x 8 pixels of 0 to 16 to 28 x 28 strokes as even as MNIST's: a black border first, so
    that strokes that touch the edge end round; then the middle of the range is spread, which
    sharpens the edges and blackens the filter's ripples.
    """
    from sklearn.datasets import load_digits  # loads scipy: a second that others need not wait

    stored = load_digits()
    padded = np.pad(stored.images, ((0, 0), (1, 1), (1, 1))).astype(np.float32)
    resized = (Image.fromarray(image).resize((SIDE, SIDE), _FILTER) for image in padded)
    large = np.stack([np.asarray(image) for image in resized])
    return labelled(np.rint(np.clip((large - 5) / 9, 0, 1) * 255).astype(np.uint8), stored.target)


def digits_m():
    """Loads `digits()` blended with patches of photos, uint8 `[n, 28, 28, 3]`, as `Labelled`."""
    plain = digits()
    return Labelled(blended(plain.images, patches(len(plain.images), _SEED)), plain.labels)


def blended(images, grounds):
    """Blends strokes on black, uint8 `[n, h, w, 1]`, into `[n, h, w, 3]`: `|grounds - images|`."""
    return np.maximum(grounds, images) - np.minimum(grounds, images)


def patches(count, seed):
    """Cuts random patches from scikit-learn's two photos, uint8 `[count, 28, 28, 3]`.

    Cut at the photos' own resolution, 640 x 427, as the recipe does with photos of such a size:
    mostly even grounds, on which the digits stay readable.
    """
    from sklearn.datasets import load_sample_images

    photos = np.stack(load_sample_images().images)
    high = np.subtract(photos.shape[:3], (0, SIDE - 1, SIDE - 1))
    corners = np.random.default_rng(seed).integers(high, size=(count, 3))
    windows = np.lib.stride_tricks.sliding_window_view(photos, (SIDE, SIDE), axis=(1, 2))
    return np.moveaxis(windows[tuple(corners.T)], 1, -1)
