"""The client's way by gRPC: its retries, and what a code becomes."""

import grpc
import pytest

from keras_gans.serving import client_grpc


def test_only_what_a_server_could_not_take_is_sent_again():
    (config,) = client_grpc._grpc_service(3)["methodConfig"]
    assert config["name"] == [{}]  # every method
    assert config["retryPolicy"]["maxAttempts"] == 4
    assert config["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert client_grpc._grpc_service(0) == {}


@pytest.mark.parametrize("code", client_grpc.BY_CODE)
def test_codes_are_grpcs(code):
    assert grpc.StatusCode[code]
