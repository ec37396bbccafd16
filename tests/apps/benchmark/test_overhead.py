"""apps.benchmark.overhead: real training beside bare steps, and the sum over a run."""

from types import SimpleNamespace

import pytest

from apps.benchmark import overhead
from keras_gans.errors import InputError

pytestmark = pytest.mark.slow


def test_a_round_by_hand():
    values = overhead.summarize_round(real=13.0, bare=8.0, last=4.0, steps=10)
    # The nine steps more cost 9 s.
    assert values["real_step_milliseconds"] == pytest.approx(1000.0)
    assert values["bare_step_milliseconds"] == pytest.approx(800.0)
    assert values["real_step_over_bare"] == pytest.approx(1.25)
    assert values["once_seconds"] == pytest.approx(3.0)
    assert values["real_over_bare"] == pytest.approx(13 / 8)


@pytest.mark.parametrize(("checkpoint_seconds", "times"), [(1e9, 2), (250.0, 5)])
def test_a_run_by_hand(checkpoint_seconds, times):
    recipe = SimpleNamespace(
        epochs=10, sample_epochs=5, evaluate_epochs=4, checkpoint_seconds=checkpoint_seconds
    )
    run = SimpleNamespace(recipe=recipe, total_steps=1000)
    rounds = [overhead.summarize_round(real=13.0, bare=8.0, last=4.0, steps=10)] * 3
    cost = overhead.run_cost(run, rounds, evaluation=[1.0, 2.0, 9.0])
    # Bare 800 s, real steps 1000 s; pictures twice, or a checkpoint every 250 s and at the end;
    # evaluations in epochs 4, 8 and 10.
    assert cost["bare_seconds"] == pytest.approx(800.0)
    assert cost["steps_share"] == pytest.approx(0.25)
    assert cost["pictures_and_checkpoints_share"] == pytest.approx(times * 3 / 800)
    assert cost["evaluation_share"] == pytest.approx(3 * 2 / 800)
    assert cost["share"] == pytest.approx(0.25 + times * 3 / 800 + 6 / 800)
    assert overhead.run_cost(run, rounds, [])["evaluation_share"] == 0


def test_an_epoch_of_one_step_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(overhead, "IMAGES", 30)
    monkeypatch.setattr(overhead, "IMAGE_SHAPE", (8, 8, 1))
    with pytest.raises(InputError, match="takes an epoch of two steps or more"):
        overhead.measure(
            "gan", overhead.RANDOM, None, str(tmp_path), 16, "float32", repeats=1, steps=None
        )
