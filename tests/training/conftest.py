"""Data of tiny runs."""

import pytest

from tests.apps.processes import write_npz


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """The path of a data set of 64 images of 8 x 8 in three classes; do not touch."""
    return write_npz(tmp_path_factory.mktemp("data") / "data.npz")
