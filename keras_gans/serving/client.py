"""Calls the models of a TF Serving server, or of `make serve`, by REST or by gRPC.

REST needs urllib3 and NumPy alone: this file imports neither TensorFlow nor the package, so that a
machine which only asks can do with a copy of it.
"""

import base64
import contextlib
import json
import time
from urllib.parse import quote, urlsplit

import numpy as np
import urllib3
from urllib3 import exceptions

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0
CONNECT_SECONDS = 5.0
POLL_SECONDS = 0.2
NO_TRUNCATION = 10.0
MOST_RETRIES = 4  # gRPC's own limit


class ServingError(RuntimeError):
    """A request failed for a reason that has no class of its own; the base of those that have."""


class NotFoundError(ServingError):
    """The server has no such model, version or version label (404, NOT_FOUND)."""


class UnavailableError(ServingError):
    """No server answers, or it cannot serve now (502, 503, UNAVAILABLE): try again later."""


class TimedOutError(UnavailableError):
    """No answer came in time (504, DEADLINE_EXCEEDED)."""


class BadArgumentError(ServingError):
    """The server or the model's graph refuses the request (400, INVALID_ARGUMENT)."""


class TooLargeError(ServingError):
    """The request or its answer is too large (413, 429, RESOURCE_EXHAUSTED): send fewer rows."""


class Client:
    """Asks one server for predictions, by REST or gRPC, with the same results.

    What a server could not take (no connection, a connection that broke, 502, 503, UNAVAILABLE) is
    sent again after pauses of 0.1 s and twice as long each time: a prediction changes nothing on
    the server. Nothing else is: not a refusal, and not what took too long. One client may be used
    by several threads.

    Args:
        url: Address of the server: `http://host:8501` (REST), `https://host/prefix`, or
            `grpc://host:8500`; `grpcs://` is gRPC with TLS. gRPC needs TensorFlow.
        timeout_seconds: Longest wait for an answer; with REST of each try, with gRPC of all.
        retries: How often more a request is sent, 0 to 4.
        max_message_bytes: Largest request, and with gRPC largest answer.

    Raises:
        NotFoundError, UnavailableError, TimedOutError, BadArgumentError, TooLargeError: From every
            method, with the server's own words; ServingError for all else.

    Example:

        client = Client("http://localhost:8501")
        (png,) = client.generate("cgan", seeds=[1], label=7)
        image = client.predict("cgan", {"seed": [1], "label": [7]}, signature="generate")["image"]
    """

    def __init__(
        self,
        url="http://127.0.0.1:8501",
        *,
        timeout_seconds=30.0,
        retries=3,
        max_message_bytes=2**28,  # 256 MiB
    ):
        scheme = urlsplit(url).scheme
        if scheme not in ("http", "https", "grpc", "grpcs") or not urlsplit(url).netloc:
            raise ValueError(
                "url must be like http://host:8501, https://host/prefix or grpc://host:8500. "
                f"Received: url={url!r}"
            )
        if not 0 <= retries <= MOST_RETRIES:
            raise ValueError(f"retries must be 0 to {MOST_RETRIES}. Received: retries={retries}")
        transport = Rest
        if scheme.startswith("grpc"):
            from keras_gans.serving.client_grpc import Grpc  # which brings TensorFlow

            transport = Grpc
        self._transport = transport(url, timeout_seconds, retries, max_message_bytes)
        self._kept = {}  # {(model, version, version_label): its signatures}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes the connections."""
        self._transport.close()

    def predict(
        self, model, inputs, *, signature="serving_default", version=None, version_label=None
    ):
        """Runs a signature on rows.

        Args:
            model: Its name on the server.
            inputs: `{name: rows}`, arrays or lists, all of the same length. Numbers go as the
                signature takes them, integers in 32 bits; bytes and text are strings.
            signature: Name of the signature.
            version: Number of the version; None for the newest.
            version_label: Instead of it a label that the server gives to a version.

        Returns:
            `{name: rows}`: arrays, and of outputs of bytes lists of bytes. By REST, whose JSON
            knows no widths, floats are float32 and integers int32.
        """
        arrays = {name: _rows(rows) for name, rows in inputs.items()}
        return self._transport.predict((model, version, version_label), arrays, signature)

    def generate(
        self, model, seeds, *, label=None, truncation=None, version=None, version_label=None
    ):
        """Makes an image a seed; returns their PNG files, a list of bytes.

        The same seed and label always give the same image.

        Args:
            model: Its name on the server.
            seeds: Integers from 0 to 2^31 - 1.
            label: A class for all images, or a list of one each: by index, or by name where the
                export knows names. None for a model without classes.
            truncation: Latents are cut off beyond this, from 0, the most typical image, to 10,
                which None means: nothing is cut off. One number, or a list.
            version, version_label: As of `predict`.
        """
        place, asked = (model, version, version_label), (list(seeds), label, truncation)
        if kept := self._kept.get(place):
            # Refused, the newest version may be another by now.
            with contextlib.suppress(BadArgumentError, NotFoundError):
                return self._images(place, kept, *asked)
        kept = self._kept[place] = self._transport.signatures(*place)
        return self._images(place, kept, *asked)

    def _images(self, place, known, seeds, label, truncation):
        # Exports from before the files alone were to be had have `generate` only.
        name = "generate_png" if "generate_png" in known else "generate"
        if by_name := isinstance(next(iter(np.ravel(label)), None), str):
            name = "generate_by_name"
        signature = known.get(name, {"inputs": (), "outputs": ()})
        if truncation is None and "truncation" in signature["inputs"]:
            truncation = NO_TRUNCATION
        given = {"label_name" if by_name else "label": label, "truncation": truncation}
        rows = {"seed": _rows(np.array(seeds, np.int64))}
        for key, value in given.items():
            if value is not None:
                rows[key] = _rows(value if np.ndim(value) else np.full(len(seeds), value))
        outputs = self._transport.predict(place, rows, name, signature["outputs"])
        return outputs["image_bytes"]

    def class_names(self, model, *, version=None, version_label=None):
        """Returns the names of the classes in the order of labels; None if it knows none."""
        where = {"version": version, "version_label": version_label}
        if "class_names" not in self.signatures(model, **where):
            return None
        answer = self.predict(model, {"label": [0]}, signature="class_names", **where)
        return [name.decode() for name in answer["class_names"][0]]

    def signatures(self, model, *, version=None, version_label=None):
        """What a version can do: `{name: {"inputs": {name: (dtype, shape)}, "outputs": alike}}`.

        Dtypes are words such as `float32`; sides that are open, the rows above all, are -1.
        """
        return self._transport.signatures(model, version, version_label)

    def versions(self, model):
        """The versions that the server knows, newest first, `{number: state, as "AVAILABLE"}`."""
        return dict(sorted(self._transport.versions(model).items(), reverse=True))

    def wait_until_available(self, model, version=None, *, timeout_seconds=60.0):
        """Waits until a version, or any, is AVAILABLE; returns its number.

        Raises TimedOutError after `timeout_seconds`, with the reason of the last try.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                states = self.versions(model)
                for number, state in states.items():
                    if state == "AVAILABLE" and version in (None, number):
                        return number
                reason = f"its versions are {states}"
            except (NotFoundError, UnavailableError) as error:
                reason = str(error)
            if time.monotonic() > deadline:
                wanted = model if version is None else f"{model} {version}"
                raise TimedOutError(f"{wanted} is not available: {reason}")
            time.sleep(POLL_SECONDS)


def _rows(rows):
    """An array as the server wants it, or a list of bytes."""
    listed = isinstance(rows, (list, tuple))
    # NumPy's own type of bytes drops zeros at their end, as files may have them.
    in_bytes = listed and any(isinstance(row, bytes) for row in rows)
    array = np.asarray(rows, object if in_bytes else None)
    if array.dtype.kind in "USO":
        return [value if isinstance(value, bytes) else str(value).encode() for value in array]
    if array.dtype.kind in "iu" and array.size and np.abs(array).max() > np.iinfo(np.int32).max:
        raise BadArgumentError(f"integers must be of 32 bits. Received: {np.abs(array).max()}")
    narrower = {"int64": np.int32, "float64": np.float32}.get(array.dtype.name)
    return array if narrower is None else array.astype(narrower)


# REST ----------------------------------------------------------------------------------------

BY_STATUS = {400: BadArgumentError, 404: NotFoundError, 504: TimedOutError}
BY_STATUS |= dict.fromkeys((502, 503), UnavailableError)
BY_STATUS |= dict.fromkeys((413, 429), TooLargeError)
DTYPES = {"float": "float32", "double": "float64"}


class _Retry(urllib3.Retry):
    """Sends again what broke off, but not what took too long, which may do so again."""

    def increment(self, method=None, url=None, response=None, error=None, *args, **kwargs):
        if isinstance(error, exceptions.ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, *args, **kwargs)


class Rest:
    """Asks by the REST routes of TF Serving, for `Client`."""

    def __init__(self, url, timeout_seconds, retries, max_message_bytes):
        self.models = f"{url.rstrip('/')}/v1/models"
        self.max_message_bytes = max_message_bytes
        timeout = urllib3.Timeout(min(CONNECT_SECONDS, timeout_seconds), timeout_seconds)
        # All methods: a prediction changes nothing.
        what = {"status_forcelist": (502, 503), "allowed_methods": None, "redirect": 0}
        what |= {"raise_on_status": False, "respect_retry_after_header": False}
        pauses = dict.fromkeys(("backoff_factor", "backoff_jitter"), FIRST_PAUSE_SECONDS)
        retry = _Retry(retries, **what, **pauses, backoff_max=LONGEST_PAUSE_SECONDS)
        self.pool = urllib3.PoolManager(retries=retry, timeout=timeout, maxsize=16)

    def close(self):
        self.pool.clear()

    def predict(self, place, inputs, signature, names=None):
        columns = {name: _to_json(rows) for name, rows in inputs.items()}
        request = {"signature_name": signature, "inputs": columns}
        try:
            body = json.dumps(request, allow_nan=False).encode()
        except ValueError as error:
            raise BadArgumentError("values must be finite: JSON has no NaN") from error
        if len(body) > (most := self.max_message_bytes):
            raise TooLargeError(f"a request must have at most {most} bytes. Received: {len(body)}")
        url = f"{self._path(*place)}:predict"
        outputs = self._ask("POST", url, lambda answer: answer["outputs"], body)
        if not isinstance(outputs, dict):  # an only output comes without its name
            names = names or self.signatures(*place)[signature]["outputs"]
            outputs = dict.fromkeys(names, outputs)
        return {name: _from_json(name, rows) for name, rows in outputs.items()}

    def signatures(self, model, version, version_label):
        url = f"{self._path(model, version, version_label)}/metadata"
        return self._ask("GET", url, lambda it: signatures_of(it["metadata"]["signature_def"]))

    def versions(self, model):
        def states(answer):
            return {int(each["version"]): each["state"] for each in answer["model_version_status"]}

        return self._ask("GET", self._path(model, None, None), states)

    def _path(self, model, version, version_label):
        path = f"{self.models}/{quote(model, safe='')}"
        if version is not None:
            return f"{path}/versions/{version}"
        return path if version_label is None else f"{path}/labels/{quote(version_label, safe='')}"

    def _ask(self, method, url, read, body=None):
        """What `read` takes from the server's answer."""
        try:
            response = self.pool.request(method, url, body=body)
        except exceptions.HTTPError as error:
            raise _no_answer(error, self.models.removesuffix("/v1/models")) from error
        if response.status != 200:
            kind = BY_STATUS.get(response.status, ServingError)
            raise kind(_words(response.data) or f"status {response.status}")
        try:
            return read(json.loads(response.data))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ServingError(f"{url} does not answer as TF Serving does") from error


def _no_answer(error, server):
    cause = getattr(error, "reason", None) or error
    kind = TimedOutError if isinstance(cause, exceptions.ReadTimeoutError) else UnavailableError
    # After its object, which urllib3 puts in front.
    return kind(f"no answer from {server}: {str(cause).rpartition('>: ')[2]}")


def _words(data):
    """The reason that a server gives, in whatever form."""
    try:
        return json.loads(data)["error"]
    except (ValueError, KeyError, TypeError):
        return data.decode("utf-8", "replace").strip()


def _to_json(rows):
    if isinstance(rows, list):
        return [{"b64": base64.b64encode(value).decode()} for value in rows]
    return rows.tolist()


def _from_json(name, rows):
    if name.endswith("_bytes"):
        return [base64.b64decode(row["b64"]) for row in rows]
    array = np.asarray(rows)
    if array.dtype.kind == "U":
        return np.char.encode(array).tolist()
    return array.astype({"f": np.float32, "i": np.int32}.get(array.dtype.kind, array.dtype))


def signatures_of(metadata):
    """`{name: {"inputs": ..., "outputs": ...}}` of a SignatureDefMap's JSON."""
    return {
        name: {side: _described(signature[side]) for side in ("inputs", "outputs")}
        for name, signature in metadata["signature_def"].items()
        if not name.startswith("__")  # a SavedModel's own
    }


def _described(tensors):
    """`{name: (dtype, shape)}` of the JSON of a signature's inputs or outputs."""
    found = {}
    for name, tensor in tensors.items():
        sizes = [int(side["size"]) for side in tensor["tensor_shape"].get("dim", [])]
        word = tensor["dtype"].removeprefix("DT_").lower()
        found[name] = DTYPES.get(word, word), sizes
    return found
