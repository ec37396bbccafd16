"""What the tests of a variant's contract share."""

import pytest


@pytest.fixture(scope="class")
def ten_steps(request, tmp_path_factory):
    """`Steps` of the variant whose class of tests it is: compiled once for several tests."""
    return request.cls().ten_steps(tmp_path_factory.mktemp("ten_steps"))


@pytest.fixture(scope="class")
def three_steps(request, ten_steps):
    """`Steps` that need no compilation: what other ways to train are compared with."""
    return request.cls().three_steps(ten_steps)
