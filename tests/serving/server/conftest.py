"""One server of toy models for the tests of this folder."""

import pytest

from tests.running_server import toy_store, toys
from tests.serving.server.running import running


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.getbasetemp()


@pytest.fixture(scope="module")
def saved_models(base):
    return toys(base)


@pytest.fixture(scope="module")
def served(base):
    with running(toy_store(base), max_bytes=2**20, send_seconds=1.0) as asked:
        yield asked
