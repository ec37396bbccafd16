"""The experiments that train for long, in one step: what they say they did and return."""

import pytest

from keras_gans.theory.experiments import CLAIMS, sampling

pytestmark = pytest.mark.slow

# Tested whole in test_likelihood.py and test_discriminator.py.
WHOLE = ("likelihood", "support", "optimal", "value")
NAMES = [n for n, claim in CLAIMS.items() if claim.by_default and n not in WHOLE]


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_runs(name, short, monkeypatch):
    monkeypatch.setattr(sampling, "LENGTH", 400)
    options = {"steps": 12 if name == "population" else 1}  # looked at twelve times
    if name in ("population", "nonsaturating", "modes", "sampling", "cycle"):
        options["seeds"] = 2
    outcome = short(CLAIMS[name], **options)
    assert outcome.measured
    assert outcome.numbers
    for frames in outcome.animations.values():
        assert {frame.shape for frame in frames} == {frames[0].shape}


def test_the_table_has_every_claim_once():
    numbers = [claim.number for claim in CLAIMS.values()]
    # The 14th has two experiments: of points and of digits.
    assert sorted(set(numbers)) == list(range(1, 18))
    assert numbers == sorted(numbers)
    assert [n for n, claim in CLAIMS.items() if not claim.by_default] == [
        "sharpness",
        "classes",
        "codes",
    ]
