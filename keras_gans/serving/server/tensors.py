"""The JSON of TF Serving's predict requests and answers, rows and columns, to arrays and back."""

import base64
import binascii
from itertools import chain

import numpy as np
import orjson
import tensorflow as tf

from keras_gans.serving.server.refusal import bad_argument

LARGEST_RANK = 8
SHOWN = 100  # characters of a value in a message
LARGEST_EXACT = 2**24 - 1  # integers that float32 holds without rounding
TYPES = {type(None): "Null", dict: "Object", list: "Array", str: "String", bool: "Bool"}


def read_predict(body, inputs_of):
    """Reads the body of a predict request.

    Args:
        body: Bytes of JSON.
        inputs_of: Function of a signature's name, maybe empty, that returns its
            `{input: TensorInfo}` or refuses.

    Returns:
        `(signature name, {input: array}, whether it came in rows)`; strings are arrays of bytes.

    Raises:
        RequestError: 400, as TF Serving refuses it.
    """
    document = _parse(body)
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise bad_argument("'signature_name' key must be a string value.")
    infos = inputs_of(name)
    if not infos:
        raise bad_argument(f"Failed to get input map for signature: {name or 'DEFAULT'}")
    if "instances" in document and "inputs" in document:
        raise bad_argument("expecting only one of 'inputs' or 'instances' keys to exist")
    if "instances" in document:
        return name, _from_rows(document["instances"], infos), True
    if "inputs" in document:
        return name, _from_columns(document["inputs"], infos), False
    raise bad_argument("Missing 'inputs' or 'instances' key")


def _parse(body):
    if not body:
        raise bad_argument("JSON Parse error: The document is empty")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_argument(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise bad_argument(f"JSON Value: {_shown(document)} Is not object")
    return document


def _from_rows(rows, infos):
    if not isinstance(rows, list):
        raise bad_argument("Expecting 'instances' to be an list/array")
    if not rows:
        raise bad_argument("No values in 'instances' array")
    if not isinstance(rows[0], dict) and len(infos) > 1:
        raise bad_argument(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            f"required: {', '.join(sorted(infos))}"
        )
    if not _is_named(rows[0]):
        for place, row in enumerate(rows):
            if _is_named(row):
                raise bad_argument(f"Expecting value/list but got object at item {place}")
        (name,) = infos
        return {name: _array(rows, infos[name], name)}
    for place, row in enumerate(rows):
        if not _is_named(row):
            raise bad_argument(f"Expecting object but got list at item {place} of input list")
        if row.keys() != infos.keys():
            raise bad_argument(
                f"Failed to process element: {place} of 'instances' list. JSON object: "
                f"{_shown(row)} keys must be equal to: {','.join(sorted(infos))}"
            )
    return {name: _array([row[name] for row in rows], infos[name], name) for name in rows[0]}


def _from_columns(columns, infos):
    if not _is_named(columns):
        if len(infos) > 1:
            raise bad_argument(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                f"required: {', '.join(sorted(infos))}"
            )
        (name,) = infos
        columns = {name: columns}
    for name in infos:
        if name not in columns:
            raise bad_argument(f"Missing named input: {name} in 'inputs' object.")
    # In the request's order, as are the messages then: that of a SignatureDef changes.
    return {name: _array(columns[name], infos[name], name) for name in columns if name in infos}


def _is_named(value):
    """Whether it is an object of inputs, and not one that carries bytes."""
    return isinstance(value, dict) and not (
        value.keys() == {"b64"} and isinstance(value["b64"], str)
    )


def _array(value, info, name):
    shape, items = _flatten(value)
    dtype = tf.dtypes.as_dtype(info.dtype)
    try:
        return _converted(items, dtype).reshape(shape)
    except _WrongItemError as error:
        kind = TYPES.get(type(error.item), "Number")
        raise bad_argument(
            f"{name}: JSON Value: {_shown(error.item)} Type: {kind} is not of expected type: "
            f"{dtype.name}"
        ) from None


def _flatten(value):
    """Lists in lists to `(shape, items)`; all of one depth must be as long."""
    shape, first = [], value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
    if len(shape) > LARGEST_RANK:
        raise bad_argument(f"Encountered list at unexpected level: {LARGEST_RANK}")
    items = [value]
    for level, size in enumerate(shape):
        for item in items:
            if not isinstance(item, list):
                raise bad_argument(
                    f"JSON Value: {_shown(item)} found at incorrect level: {level + 1} in the JSON "
                    f"DOM. Expected at level: {len(shape)}"
                )
            if len(item) != size:
                raise bad_argument(
                    f"Encountered list at unexpected size: {len(item)} at level: {level} expected "
                    f"size: {size}"
                )
        items = list(chain.from_iterable(items))
    if list in set(map(type, items)):
        raise bad_argument(
            f"Encountered list at unexpected level: {len(shape)} expected < {len(shape)}"
        )
    return shape, items


class _WrongItemError(Exception):
    def __init__(self, item):
        super().__init__()
        self.item = item


def _converted(items, dtype):
    if dtype == tf.string:
        return np.array([_bytes(item) for item in items], object)
    allowed = {bool} if dtype == tf.bool else {int} if dtype.is_integer else {int, float}
    if set(map(type, items)) - allowed:
        raise _WrongItemError(next(item for item in items if type(item) not in allowed))
    if dtype.is_integer:
        low, high = int(dtype.min), int(dtype.max)
        if wrong := [item for item in items if not low <= item <= high]:
            raise _WrongItemError(wrong[0])
    elif dtype.is_floating:
        largest = float(dtype.max)
        for item in items:
            if abs(item) > (LARGEST_EXACT if type(item) is int else largest):
                raise bad_argument(
                    f"Cannot convert JSON value: {_shown(item)} to float without loss of precision."
                )
    return np.array(items, dtype.as_numpy_dtype)


def _bytes(item):
    if isinstance(item, str):
        return item.encode()
    if _is_named(item) or not isinstance(item, dict):
        raise _WrongItemError(item)
    text = item["b64"]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise bad_argument("Unable to base64 decode") from None


def _shown(value):
    try:
        text = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return "lists or objects in each other"  # it reads 1,024 levels and writes 254
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


# Answers ---------------------------------------------------------------------------------------


def write_predict(outputs, in_rows):
    """Writes `{output: array}` as the body of an answer, in rows as it was asked, or in columns."""
    if not in_rows:
        columns = {name: _plain(name, array) for name, array in outputs.items()}
        (only, *more) = columns.values()
        return _dumped({"outputs": columns if more else only})
    sizes = {name: len(array) if np.ndim(array) else None for name, array in outputs.items()}
    if len(set(sizes.values())) > 1 or None in sizes.values():
        raise bad_argument(f"outputs have inconsistent batch sizes: {sizes}")
    columns = [_plain(name, array) for name, array in outputs.items()]
    if len(columns) == 1:
        return _dumped({"predictions": list(columns[0])})
    rows = [dict(zip(outputs, values, strict=True)) for values in zip(*columns, strict=True)]
    return _dumped({"predictions": rows})


def _plain(name, array):
    """An array as orjson takes it; bytes of outputs that end in `_bytes` become base64."""
    if array.dtype != object:
        if array.dtype.name in ("float16", "bfloat16", "uint16"):
            raise bad_argument(f"Unsupported data type {array.dtype.name} of {name} for JSON")
        return array
    if isinstance(array, np.ndarray) and array.ndim > 1:
        return [_plain(name, row) for row in array]
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(item).decode()} for item in array]
    return [item.decode("utf-8", "replace") for item in array]


def _dumped(document):
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
