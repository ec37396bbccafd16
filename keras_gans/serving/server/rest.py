"""TF Serving's REST routes: predict in rows and columns, status, metadata, versions and labels."""

import asyncio
import logging
import re
from concurrent.futures import ThreadPoolExecutor

import grpc
import orjson
from google.protobuf.json_format import MessageToJson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route
from tensorflow_serving.apis import model_pb2

from keras_gans.serving.server.metadata import signature_map
from keras_gans.serving.server.refusal import RequestError, bad_argument
from keras_gans.serving.server.tensors import read_predict, write_predict

LOG = logging.getLogger(__name__)
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]
MODEL = r"(?i:/v1/models)/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
PREDICT = re.compile(MODEL + r":(?P<method>classify|regress|predict)")
LOOK = re.compile(MODEL + r"(?P<metadata>/metadata)?")
LET_GO = 8  # times the largest request
LARGEST_VERSION = 2**63 - 1


def make_app(store, settings):
    """Makes the ASGI application of a `ModelStore`, within the bounds of `Settings`."""
    pool = ThreadPoolExecutor(settings.threads, "rest")
    held = _Held(settings)

    async def endpoint(request):
        method, path = request.method, request.scope["path"]
        try:
            body = await asyncio.wait_for(held.read(request), settings.send_seconds)
        except asyncio.TimeoutError:
            return _error(408, f"the request was not sent within {settings.send_seconds:g} s")
        except RequestError as error:
            return _error(error.http_status, str(error))
        except ClientDisconnect:
            return Response(status_code=499)
        try:
            work = asyncio.get_running_loop().run_in_executor(
                pool, _answer, store, method, path, body
            )
            content = await asyncio.wait_for(work, settings.run_seconds)
        except RequestError as error:
            return _error(error.http_status, str(error))
        except asyncio.TimeoutError:
            return _error(504, f"no answer within {settings.run_seconds:g} s")
        except MemoryError:
            return _error(429, "the server has not enough memory for this request")
        except Exception as error:
            LOG.exception("%s %s", method, path)
            return _error(500, type(error).__name__)
        finally:
            held.release(body)
        return Response(content, media_type="application/json")

    middleware = []
    if settings.allow_origins:
        options = {"allow_methods": ["GET", "POST"], "allow_headers": ["Content-Type"]}
        middleware = [Middleware(CORSMiddleware, allow_origins=settings.allow_origins, **options)]
    return Starlette(
        routes=[Route("/{path:path}", endpoint, methods=METHODS)],
        middleware=middleware,
        exception_handlers={405: _other_method},
    )


class _Held:
    """The bodies of requests in memory: each of them bounded, and all together."""

    def __init__(self, settings):
        self.settings = settings
        self.bytes = 0

    async def read(self, request):
        """Reads a body; what it counts is given back by `release`."""
        limit, kept = self.settings.max_bytes, []
        size, promised = 0, int(request.headers.get("content-length", 0))
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if max(size, promised) > limit:
                    # Whoever is still sending would not see the answer: what comes is let go.
                    if size > LET_GO * limit:
                        break
                    continue
                self.bytes += len(chunk)
                kept.append(chunk)
                if self.bytes > self.settings.max_bytes_held:
                    raise RequestError(
                        grpc.StatusCode.UNAVAILABLE, "too many requests at once: try again"
                    )
            if max(size, promised) > limit:
                message = f"a request must have at most {limit / 2**20:g} MiB"
                raise RequestError(grpc.StatusCode.RESOURCE_EXHAUSTED, message, http_status=413)
        except BaseException:
            self.bytes -= sum(map(len, kept))
            raise
        return b"".join(kept)

    def release(self, body):
        self.bytes -= len(body)


def _answer(store, method, path, body):
    """Returns the body of the answer to a request; refuses as TF Serving does."""
    if not path.lower().startswith("/v1/"):
        raise RequestError(grpc.StatusCode.NOT_FOUND, f"no such path: {path}")
    if method == "POST" and (match := PREDICT.fullmatch(path)):
        return _predict(store, match, body)
    if method == "GET" and (match := LOOK.fullmatch(path)):
        model = store.model(match["name"]) if match["metadata"] else None
        if model is not None:
            return _metadata(model, *_which(match))
        if match["name"] not in store.models:
            raise RequestError(
                grpc.StatusCode.NOT_FOUND, f"Could not find any versions of model {match['name']}"
            )
        return _json(store.model(match["name"]).status(*_which(match)))
    if method == "GET" and re.fullmatch("(?i)/v1/models/?", path):
        raise bad_argument("Missing model name in request.")
    raise bad_argument(f"Malformed request: {method} {path}")


def _which(match):
    if match["version"] and int(match["version"]) > LARGEST_VERSION:
        raise bad_argument(f"Failed to convert version: {match['version']} to numeric.")
    return int(match["version"]) if match["version"] else None, match["label"]


def _predict(store, match, body):
    loaded = store.model(match["name"]).find(*_which(match))
    if match["method"] != "predict":
        raise bad_argument(
            f"Expected {match['method']} signature method_name to be tensorflow/serving/"
            f"{match['method']}. Was: tensorflow/serving/predict"
        )
    name, inputs, in_rows = read_predict(body, lambda name: loaded.signature(name).inputs)
    return write_predict(loaded.run(name, inputs), in_rows)


def _metadata(model, version, label):
    loaded = model.find(version, label)
    spec = model_pb2.ModelSpec(name=model.name)
    spec.version.value = loaded.number
    parts = {
        "model_spec": orjson.loads(_json(spec)),
        "metadata": {"signature_def": orjson.loads(_json(signature_map(loaded)))},
    }
    return orjson.dumps(parts, option=orjson.OPT_INDENT_2)


def _json(message):
    options = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}
    return MessageToJson(message, indent=1, **options).encode()


async def _other_method(request, _):
    return _error(400, f"Malformed request: {request.method} {request.scope['path']}")


def _error(status, message):
    return Response(orjson.dumps({"error": message}), status, media_type="application/json")
