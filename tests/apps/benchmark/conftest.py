"""What the tests of this folder share."""

import keras
import pytest


@pytest.fixture
def eagerly(monkeypatch):
    """Runs steps as they stand: to trace them takes longer than to run a few."""
    monkeypatch.setattr(
        keras.Model, "run_eagerly", property(lambda self: True, lambda self, value: None)
    )
