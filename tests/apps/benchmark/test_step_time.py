"""apps.benchmark.step_time: what a case of the step holds. No speed is asserted."""

import functools

import pytest

from apps.benchmark import measuring, step_time
from keras_gans.recipes import RECIPES
from tests.apps.processes import write_folder

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def small_matrices(monkeypatch):
    monkeypatch.setattr(measuring, "MATRIX_SIZE", 64)
    monkeypatch.setattr(step_time, "PIPELINE_BATCHES", 3)


@pytest.mark.usefixtures("eagerly")
def test_pairs_of_images_are_timed_too(monkeypatch, tmp_path):
    write_folder(tmp_path, ("x", "y"))
    small = {"generator_filters": 2, "blocks": 0, "discriminator_filters": 2, "halvings": 1}
    small |= {"dataset": f"folders:{tmp_path}/x,{tmp_path}/y", "image_size": 8}
    recipe = functools.partial(RECIPES["cyclegan"], **small)
    monkeypatch.setitem(RECIPES, "cyclegan", recipe)
    result = step_time.measure("cyclegan", 2, "mixed_bfloat16", 1, [], repeats=1, steps=1)
    assert result["precision"] == "mixed_bfloat16"
    assert result["mflop_per_image"] > 0.1
    assert result["summary"]["pipeline_images_per_second"]["median"] > 0


def test_two_replicas_share_a_batch(two_replicas, monkeypatch):
    asked = []
    monkeypatch.setattr(
        step_time.distribution, "make_strategy", lambda *args: asked.append(args) or two_replicas
    )
    seen = []
    monkeypatch.setattr(step_time, "fit", lambda run, batch, steps: seen.append((run, batch)))
    result = step_time.measure("gan", 6, "float32", 2, [], repeats=1, steps=1)
    assert asked == [("mirrored", "2")]
    assert (result["replicas"], result["mflop_per_image"]) == (2, None)
    assert result["summary"]["share_of_matmul"] is None
    both = next(iter(step_time._batches(*seen[0])))
    images = both[0] if isinstance(both, tuple) else both
    parts = two_replicas.experimental_local_results(images)
    assert [len(part) for part in parts] == [3, 3]


def test_a_round_takes_about_two_seconds(monkeypatch):
    times = iter([0.3, 60.0, 0.001])
    monkeypatch.setattr(step_time, "seconds", lambda _: next(times))
    assert [step_time.steps_in_round(None, None) for _ in range(3)] == [20, 1, 200]
