"""What a run's settings are where nobody asks for others: by the images and by the device.

Pure functions of numbers. Each returns a value and the reason that the plan prints beside it.
"""

import math

SAMPLE_GRIDS = 60  # about so many in a long run
OWN = ("folder:", "npz:")
# Images of up to so many pixels are seen as often on a CPU as on a GPU; and the least of others.
CPU_PIXELS, SMALLEST_SHARE = 32 * 32, 1 / 8


def is_own(dataset):
    """Whether a data set is a user's own, of which nothing is known beforehand."""
    return dataset.startswith(OWN)


def choose_batch_size(asked, default, images, smallest=2):
    """Chooses the images in a step: a default that the data cannot fill becomes smaller.

    Args:
        asked, default: Batch sizes.
        images: Of the data.
        smallest: The fewest that the variant takes.

    Returns `(batch_size, reason)`, the reason None where it is as asked. One that is asked for and
    not the default stays, to be refused, as one does that fewer images than `smallest` are to fill.
    """
    if asked != default or images >= asked or images < smallest:
        return asked, None
    batch = asked
    while batch > images and batch % 2 == 0:  # a multiple of whatever the default is one of
        batch = max(batch // 2, smallest)
    if batch > images:
        return asked, None
    return batch, f"instead of {default}, as there are only {images:,} images"


def choose_batch_of_run(largest, smallest, fewest_steps, images, in_all):
    """Chooses the images in a step by those that a run trains on: few images in more steps.

    Args:
        largest, smallest: Batch sizes. Of data with fewer images than `smallest` it is less.
        fewest_steps: That the run should have.
        images: Of the data.
        in_all: That the run trains on, one that it sees twice counted twice.

    Returns `(batch_size, reason)`, the reason None where it is the largest.
    """
    batch, reason = choose_batch_size(largest, largest, images)
    while batch > smallest and in_all < fewest_steps * batch:
        batch //= 2
        reason = f"instead of {largest}, as {in_all:,} images to train on need more steps"
    return batch, reason


def choose_epochs(images, to_see, most):
    """Chooses the passes over a data set that is known.

    Args:
        images: How many a pass trains on.
        to_see: How many a run of the recipe should train on in all.
        most: Passes at most: the small sets are simple, and learnt by then.

    Returns `(epochs, reason)`.
    """
    epochs = max(1, round(to_see / images))
    if epochs > most:
        return most, f"{most} are enough for this data"
    return epochs, f"about {to_see:,} images to see, {images:,} of them in each"


def choose_own_epochs(images, to_see, pixels, on_gpu):
    """Chooses the passes over a user's own data.

    A network needs its updates however few the images are, so that there is no limit to the passes.
    On a CPU a step takes as long as it has pixels: larger images are seen less often.

    Args:
        images, to_see: As in `choose_epochs`.
        pixels: Of an image.
        on_gpu: Whether there is a GPU.

    Returns `(epochs, reason)`.
    """
    share = 1.0 if on_gpu else min(1.0, max(SMALLEST_SHARE, CPU_PIXELS / pixels))
    seen = round(to_see * share)
    where = "" if share == 1.0 else f", {share:.2g} of what they would be with a GPU"
    epochs = max(1, round(seen / images))
    return epochs, f"about {seen:,} images to see{where}; {images:,} in each epoch"


def choose_sample_epochs(asked, default, epochs):
    """Chooses how many epochs lie between two grids; of very many epochs not one every five."""
    return max(asked, math.ceil(epochs / SAMPLE_GRIDS)) if asked == default else asked


def choose_precision_name(asked, dataset, on_gpu):
    """Chooses a name of `precision.PRECISIONS`; None is asked where nobody asks.

    Of own images a GPU's fastest. Else float32, the same on every machine.
    """
    if asked is not None:
        return asked
    return "auto" if on_gpu and is_own(dataset) else "float32"
