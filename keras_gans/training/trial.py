"""Trains a few steps of a run, to tell what all of it takes: time and memory."""

import time
from typing import NamedTuple

import tensorflow as tf

from keras_gans.distribution import is_on_gpu, local_devices
from keras_gans.training.loop import known_errors, make_batches
from keras_gans.training.planning import peak_mib

TIMED_SECONDS = 4.0
FEWEST_STEPS, MOST_STEPS = 3, 50
LONG_MINUTES = 30


class Trial(NamedTuple):
    """What a few steps took: seconds of one, memory at most, how many there were.

    `steps_left` are those of the run that were still to do before.
    """

    step_seconds: float
    memory_mib: float
    steps: int
    steps_left: int


def time_steps(run):
    """Trains a few steps and returns a `Trial`; the run's model is spent then.

    Raises RunError as `train` does, for an unreadable image or too little memory.
    """
    at_once = run.recipe.steps_per_execution

    def seconds(steps):
        begin = time.monotonic()
        with known_errors(run):
            run.model.fit(batches, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)
        return time.monotonic() - begin

    steps_left = run.total_steps - run.model.steps_done
    batches = make_batches(run, run.model.steps_done)
    seconds(at_once)  # builds the step
    once = seconds(at_once) / at_once
    steps = min(MOST_STEPS, max(FEWEST_STEPS, round(TIMED_SECONDS / once)))
    steps = -(-steps // at_once) * at_once
    step_seconds = seconds(steps) / steps
    return Trial(step_seconds, _peak_mib(run.strategy), steps, steps_left)


def _peak_mib(strategy):
    """The most so far, of the fullest GPU or of the whole program."""
    if not is_on_gpu(strategy):
        return peak_mib()
    names = [device.partition("device:")[2] for device in local_devices(strategy)]
    peaks = [tf.config.experimental.get_memory_info(name)["peak"] for name in names]
    return max(peaks) / 2**20


def trial_text(run, trial):
    """Says what a run would take by a `Trial` of it, and what would make it shorter."""
    rate = run.recipe.batch_size / trial.step_seconds
    seconds = trial.steps_left * trial.step_seconds
    lines = [
        f"measured  {trial.step_seconds:.3g} s a step, {rate:,.0f} images/s, and at most "
        f"{trial.memory_mib:,.0f} MiB, the whole program, in {trial.steps} steps",
        f"time      about {duration_text(seconds)} on this machine, without scores and pictures",
    ]
    # A run that goes on can only become longer.
    if seconds > 60 * LONG_MINUTES and trial.steps_left == run.total_steps:
        images = run.total_steps * run.recipe.batch_size
        epochs = max(1, int(run.recipe.epochs * 60 * LONG_MINUTES / seconds))
        lines.append(
            f"          as {images:,} images are seen: --epochs {epochs:,} would take half an hour"
        )
    return "\n".join(lines)


def duration_text(seconds):
    """Seconds as people say them: `50 s`, `12 min`, `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"
