"""A judge for the tests of this folder."""

import pytest

from keras_gans.metrics import classifier
from tests.metrics.test_classifier import short_fits, source


@pytest.fixture(scope="session")
def stripes_classifier(tmp_path_factory):
    """The path of a classifier of stripes, for copies that other sources of them read."""
    folder = tmp_path_factory.mktemp("classifier")
    with short_fits():
        classifier.load_or_fit(source(), folder)
    return folder / f"classifier-{source().fingerprint}.keras"
