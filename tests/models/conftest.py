"""What the tests of a variant's contract share."""

import pytest


@pytest.fixture(scope="class")
def ten_steps(request):
    """`TenSteps` of the variant whose class of tests it is: compiled once for several tests."""
    return request.cls().ten_steps()
