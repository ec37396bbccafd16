"""Refusals, with the statuses that TF Serving gives."""

import grpc
import pytest

from keras_gans.serving.server.refusal import CODES, RequestError, bad_argument, not_found


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("INVALID_ARGUMENT", 400),
        ("FAILED_PRECONDITION", 400),
        ("OUT_OF_RANGE", 400),
        ("NOT_FOUND", 404),
        ("RESOURCE_EXHAUSTED", 429),
        ("UNIMPLEMENTED", 501),
        ("UNAVAILABLE", 503),
        ("DEADLINE_EXCEEDED", 504),
        ("INTERNAL", 500),
        ("UNKNOWN", 500),
        ("DATA_LOSS", 500),
    ],
)
def test_a_code_has_its_http_status(code, status):
    assert RequestError(grpc.StatusCode[code], "words").http_status == status


def test_a_refusal_carries_its_words():
    assert (str(bad_argument("a")), bad_argument("a").http_status) == ("a", 400)
    assert (str(not_found("b")), not_found("b").code) == ("b", grpc.StatusCode.NOT_FOUND)
    large = RequestError(grpc.StatusCode.RESOURCE_EXHAUSTED, "c", http_status=413)
    assert large.http_status == 413


def test_tensorflows_numbers_are_grpcs_codes():
    assert CODES[3] is grpc.StatusCode.INVALID_ARGUMENT
    assert sorted(CODES) == list(range(17))
