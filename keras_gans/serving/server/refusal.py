"""Refusals of requests, with the statuses that TF Serving gives over gRPC and over HTTP."""

import grpc

# As TF Serving's HTTP server maps them; anything else is 500.
HTTP_STATUS = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}
CODES = {code.value[0]: code for code in grpc.StatusCode}


class RequestError(Exception):
    """A request is refused: a `grpc.StatusCode`, and a message for the client."""

    def __init__(self, code, message, http_status=None):
        super().__init__(message)
        self.code = code
        self.http_status = http_status or HTTP_STATUS.get(code, 500)


def bad_argument(message):
    """Makes the refusal of a request that is wrong in itself: 400."""
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message):
    """Makes the refusal of a request for what is not there: 404."""
    return RequestError(grpc.StatusCode.NOT_FOUND, message)
