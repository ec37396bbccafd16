"""A model and its export."""

import keras
import pytest

from keras_gans.serving.endpoints import Endpoints
from tests.running_server import CHECKPOINTS, toys


@pytest.fixture(scope="session")
def exported_vae(tmp_path_factory):
    """A VAE of images of 8 x 8, and the endpoints of its export; do not touch."""
    model = keras.models.load_model(CHECKPOINTS / "vae.keras")
    return model, Endpoints.from_export(toys(tmp_path_factory.getbasetemp()) / "vae")
