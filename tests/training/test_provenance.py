"""Where an export comes from, of a run's folder."""

from pathlib import Path

import pytest

from keras_gans import training

RUN = Path(__file__).parents[1] / "earlier" / "runs" / "cgan"


class Model:
    def __init__(self, steps_done):
        self.steps_done = steps_done


@pytest.mark.parametrize(("checkpoint", "steps"), [(None, 6), ("best", 6), ("last", 9)])
def test_run_checkpoint_data_and_scores_are_named(checkpoint, steps):
    card = training.model_card(RUN, Model(steps), checkpoint, data_licence="CC0")
    which = "last" if checkpoint == "last" else "best"
    assert card["run"] == "cgan"
    assert card["checkpoint"] == f"{which}, after {steps} steps"
    assert card["data"].startswith("npz:tests/earlier/digits8.npz: 192 images of 8 x 8 x 1, ")
    assert card["data_licence"] == "CC0"
    # The scores are those of the best checkpoint alone.
    assert ("scores" in card) == (which == "best")
    if which == "best":
        assert set(card["scores"]) == {"mmd_20_pixels"}
