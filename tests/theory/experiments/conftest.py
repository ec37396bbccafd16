"""Experiments of a step, run eagerly: to compile them would take longer than to run them."""

import keras
import pytest

from keras_gans.theory import toys


@pytest.fixture
def short(monkeypatch):
    """Runs an experiment of few tiny steps; returns its outcome and checks what it says it did."""
    eagerly = property(lambda self: True, lambda self, value: None)
    monkeypatch.setattr(keras.Model, "run_eagerly", eagerly)
    monkeypatch.setattr(toys, "EVERY", 1)
    monkeypatch.setattr(toys, "BATCHES", 2)

    def run(claim, **options):
        said = []
        outcome = claim.experiment(said.append, **options)
        assert len(said) == claim.parts
        assert all(picture.ndim == 3 for picture in outcome.pictures.values())
        assert outcome.pictures
        return outcome

    return run
