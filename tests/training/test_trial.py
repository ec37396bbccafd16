"""A few steps that tell what a whole run takes."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from keras_gans import training
from keras_gans.errors import RunError
from keras_gans.recipes import RECIPES
from keras_gans.training import trial
from tests.apps.processes import truncate, write_folder
from tests.training.toys import recipe_of


@pytest.mark.slow
def test_time_and_memory_are_those_of_the_run_itself(data, monkeypatch):
    """By a clock that a step moves on by a quarter of a second, and the first one by a minute."""
    monkeypatch.setattr(trial, "TIMED_SECONDS", 1.75)
    settings = {"epochs": 20, "units": (4,), "batch_size": 8, "steps_per_execution": 2}
    run = training.prepare(RECIPES["autoencoder"](dataset=f"npz:{data}", **settings))

    def seconds():
        done = run.model.steps_done
        return done / 4 + (60 if done else 0)

    monkeypatch.setattr(trial, "time", SimpleNamespace(monotonic=seconds))
    measured = training.time_steps(run)
    assert measured.step_seconds == pytest.approx(0.25)
    assert measured.steps == 8  # two at once: not 7
    assert run.model.steps_done == 2 + 2 + measured.steps
    assert measured.steps_left == run.total_steps
    assert 200 < measured.memory_mib < 20_000


@pytest.mark.slow
def test_a_picture_that_broke_since_it_was_found_is_named(tmp_path):
    folder = write_folder(tmp_path / "pictures")
    settings = {"image_size": 8, "batch_size": 8, "units": (4,), "cache_mib": 0}
    run = training.prepare(RECIPES["autoencoder"](dataset=f"folder:{folder}", **settings))
    broken = [truncate(folder / kind / f"{n}.jpg") for kind in ("ant", "bee") for n in range(8)]
    with pytest.raises(RunError, match="cannot use") as failed:
        training.time_steps(run)
    (line,) = str(failed.value).splitlines()
    assert any(str(path) in line for path in broken)


def test_what_takes_long_is_told_with_the_epochs_of_half_an_hour(data):
    run = training.prepare(recipe_of("dcgan", data, epochs=1000))
    text = training.trial_text(run, training.trial.Trial(0.9, 1234.0, 5, 8000))
    assert "0.9 s a step, 9 images/s, and at most 1,234 MiB, the whole program, in 5 steps" in text
    assert "time      about 2.0 h on this machine" in text
    assert "64,000 images are seen: --epochs 250 would take half an hour" in text
    short = training.trial_text(run, training.trial.Trial(0.01, 1234.0, 5, 8000))
    assert "about 80 s" in short
    assert "half an hour" not in short
    rest = training.trial_text(run, training.trial.Trial(0.9, 1234.0, 5, 4000))
    assert "about 60 min" in rest
    assert "half an hour" not in rest  # with fewer epochs it would be refused


def test_the_memory_of_a_gpu_is_that_of_the_gpu_that_trains(monkeypatch):
    names = [f"/job:localhost/replica:0/task:0/device:GPU:{number}" for number in (1, 10)]
    strategy = SimpleNamespace(extended=SimpleNamespace(worker_devices=names))
    peaks = {"GPU:0": 5 * 2**20, "GPU:1": 2 * 2**20, "GPU:10": 3 * 2**20}
    monkeypatch.setattr(
        tf.config.experimental, "get_memory_info", lambda name: {"peak": peaks[name]}
    )
    assert trial._peak_mib(strategy) == 3.0
