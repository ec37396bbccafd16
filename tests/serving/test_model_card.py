"""The card in an export: what is known is said, what is not is `unknown`."""

import json

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.serving import model_card

NOTES = {
    "class_names": ["ant", "b\nee"],
    "limits": {"rows": 4, "pixels": 100},
    "signatures": {
        "generate": {
            "inputs": {"seed": {"dtype": "int32", "shape": [None]}},
            "outputs": {"image": {"dtype": "float32", "shape": [None, 8, 8, 1]}},
        }
    },
}


def test_what_nobody_said_is_unknown():
    card = model_card.complete(None, "GAN")
    assert card.pop("model") == "GAN"
    assert set(card.values()) == {"unknown"}
    text = model_card.write_card({**NOTES, "card": model_card.complete(None, "GAN")})
    assert "- Licence of the data: unknown" in text


def test_scores_may_be_numbers_of_numpy():
    card = model_card.complete({"scores": {"a": np.float32(1.5)}}, "GAN")
    assert json.loads(json.dumps(card))["scores"] == {"a": 1.5}


@pytest.mark.parametrize("card", [{"scores": {"a": "good"}}, {"scores": {"a": None}}, {"run": 3}])
def test_what_cannot_stand_in_a_card_is_refused(card):
    with pytest.raises(InputError, match=f"card: {next(iter(card))} must be"):
        model_card.complete(card, "GAN")


def test_the_card_has_run_scores_classes_limits_and_signatures():
    given = {"run": "mine", "scores": {"mmd_20_pixels": 0.4792416}, "data_licence": "CC0"}
    text = model_card.write_card({**NOTES, "card": model_card.complete(given, "GAN")})
    for line in (
        "- Run: mine",
        "- Scores: mmd_20_pixels 0.479242",
        "- Licence of the data: CC0",
        "- Labels: 0 ant, 1 b ee",
        "- Limits of a request: 4 rows, 100 pixels of its images",
        "| `generate` | `seed int32 [n]` | `image float32 [n, 8, 8, 1]` |",
    ):
        assert line in text.splitlines()
