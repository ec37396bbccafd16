"""Callback that warns when an epoch's means say that training goes wrong."""

import sys

import keras
import tensorflow as tf
from tqdm import tqdm

# Measured with GAN, DCGAN and conditional GAN as their recipes set them, and DCGAN's other losses,
# on digits, MNIST and colour photos of 32 x 32. In their first 75 to 200 steps D was right on 95 to
# 100 % of both kinds, and samples differed 0.3 to 0.6 times as much as real images do: faults only
# if they last.
FIRST_STEP = 300
# After that, healthy epochs had D right on at most 93 %. It was right on 100 % with D ten times as
# fast as usual and G two hundred times as slow, and for 500 steps with the minimax loss, which
# saturates (G's gradient fell to a fiftieth).
D_WON_ACCURACY = 0.995
# After that, healthy epochs had at least 0.9. A generator of one image has 0; one that ended with 3
# of 10 classes, its opponent slowed down, 0.12.
COLLAPSED_DIVERSITY = 0.25
# Of pairs, R3GAN's, of which half are right by chance. A critic that was too slow was right on 26,
# 30 and 37 % in its epochs 2 to 4 (25,000 photos), as G's step goes past what it knows; healthy
# epochs had 45 % at least. Samples were a weave without things in it.
D_LOST_PAIRS = 0.4
# Broken runs ended with samples of 3, 4 and 5 of 10 classes, healthy ones with all.
COVERED_CLASSES = 0.5
CURE = (
    "lower generator_learning_rate, raise discriminator_steps (or n_critic), or choose another "
    "loss, where the variant has them, or another seed"
)


class Health(keras.callbacks.Callback):
    """Warns at the end of an epoch whose numbers say that training goes wrong.

    A warning is one line, `warning: epoch 12: ...`, written when it first holds, and again only
    after an epoch in which it did not. What an epoch does not measure counts as last measured.
    Put it behind what adds to the epoch's logs.

    Args:
        writer: A `tf.summary` writer that also gets the warnings, as the text `health`; or None.
        file: Where to write; stderr by default.
        first_step: Epochs that end before so many steps are not judged.
    """

    def __init__(self, writer=None, file=None, first_step=FIRST_STEP):
        super().__init__()
        self.writer, self.first_step = writer, first_step
        self.file = file or sys.stderr
        self._measured, self._standing = {}, {}

    def on_epoch_end(self, epoch, logs=None):
        self._measured |= logs or {}
        step = self.model.steps_done
        if step < self.first_step:
            return
        found = health_warnings(self._measured)
        new = [name for name in found if name not in self._standing]
        lines = [f"epoch {epoch + 1}: {found[name]}" for name in new]
        self._standing = found
        for line in lines:
            # Past a progress bar, not into it.
            tqdm.write(f"warning: {line}", file=self.file)
        if lines and self.writer is not None:
            with self.writer.as_default():
                tf.summary.text("health", "\n\n".join(lines), step=step)


def health_warnings(logs):
    """Finds what goes wrong by an epoch's means; the first steps of a run look much the same.

    Args:
        logs: `{name: value}` of an epoch, with the names in `models.diagnostics`, and
            `classes_covered` (also `classes_covered_10k_...`) with `classes`, how many as many
            real images would show, if samples were classified. What is missing or not finite is
            not judged.

    Returns:
        `{name: line}`: `d_won`, `d_lost`, `collapsed`, `missing_classes`; empty for a healthy
        epoch.
    """
    found = {}
    real, fake = logs.get("real_accuracy", 0.0), logs.get("fake_accuracy", 0.0)
    if real >= D_WON_ACCURACY and fake >= D_WON_ACCURACY:
        found["d_won"] = (
            f"D is right on {real:.1%} of real and {fake:.1%} of fake images, so G learns little: "
            "set augment to diffaugment or label_smoothing to 0.1, where the variant has them, "
            "lower discriminator_learning_rate, choose another loss, or give G more features"
        )
    pairs = logs.get("pair_accuracy", 1.0)
    if pairs < D_LOST_PAIRS:
        found["d_lost"] = (
            f"D is right on {pairs:.1%} of pairs, where guessing is right on half, so G learns "
            "little: raise discriminator_rate or lower learning_rate"
        )
    real, fake = logs.get("real_diversity", 0.0), logs.get("fake_diversity", 0.0)
    if fake < COLLAPSED_DIVERSITY * real:
        found["collapsed"] = (
            f"samples differ from one another by {fake:.3f} a pixel, real images by {real:.3f}, so "
            f"G has collapsed: {CURE}"
        )
    covered = next((value for key, value in logs.items() if "classes_covered" in key), None)
    classes = logs.get("classes")
    if None not in (covered, classes) and covered < COVERED_CLASSES * classes:
        found["missing_classes"] = (
            f"samples show {covered:.0f} of {classes:.0f} classes, so G has dropped the others: "
            f"{CURE}"
        )
    return found
