"""Runs an exported version as TF Serving does: the C++ loader alone, no TensorFlow Python.

    python tests/serving_loader.py

Reads requests from stdin, one a line as JSON, `[version folder, signature, inputs.npz,
outputs.npz]`, and answers each with a line: null, or the message of TensorFlow's refusal. In the
outputs a string tensor of shape (n,) becomes n uint8 arrays named `<output>/<row>`. Tests call
`run_in_loader`.
"""

import ctypes
import functools
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

FLOAT, INT32, STRING = 1, 3, 7
DTYPES = {FLOAT: np.dtype("float32"), INT32: np.dtype("int32")}
STRING_BYTES = 24  # sizeof(TF_TString)


class RefusedError(Exception):
    """TensorFlow's C++ runtime answered with an error; the message is its own."""


def run_in_loader(version_dir, signature, inputs):
    """Runs one signature of an export in a process that imports no TensorFlow.

    The export is loaded anew for each call; the process is the same for all of a session.

    Args:
        version_dir: folder that holds `saved_model.pb`.
        signature: its name.
        inputs: dict of float32 or int32 arrays.

    Returns:
        Dict of arrays; a string tensor of shape `(n,)` becomes a list of n bytes.

    Raises:
        RefusedError: the loader or the graph refused.
    """
    process, log = _loader()
    with tempfile.TemporaryDirectory() as folder:
        given, got = Path(folder, "inputs.npz"), Path(folder, "outputs.npz")
        np.savez(given, **inputs)
        request = [str(version_dir), signature, str(given), str(got)]
        process.stdin.write(f"{json.dumps(request)}\n")
        process.stdin.flush()
        if not (answer := process.stdout.readline()):
            _loader.cache_clear()
            log.seek(0)
            raise RuntimeError(f"serving_loader ended with {process.wait()}: {log.read()}")
        if refusal := json.loads(answer):
            raise RefusedError(refusal)
        return _gather(np.load(got))


@functools.cache
def _loader():
    """The process, which ends with this one, and what it says on stderr."""
    log = tempfile.TemporaryFile("w+")  # noqa: SIM115
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "text": True}
    return subprocess.Popen([sys.executable, __file__], **pipes), log


def _gather(arrays):
    outputs = {}
    for name, array in arrays.items():
        if "/" in name:
            outputs.setdefault(name.split("/")[0], []).append(array.tobytes())
        else:
            outputs[name] = array
    return outputs


# The C API -----------------------------------------------------------------------------------


class Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("free", ctypes.c_void_p)]


RETURN_POINTERS = (
    "TF_NewStatus",
    "TF_NewSessionOptions",
    "TF_NewGraph",
    "TF_LoadSessionFromSavedModel",
    "TF_AllocateTensor",
    "TF_TensorData",
    "TF_GraphOperationByName",
    "TF_StringGetDataPointer",
)


def open_library():
    package = Path(importlib.util.find_spec("tensorflow").origin).parent
    # RTLD_GLOBAL crashed with numpy.random.
    library = ctypes.CDLL(str(next(package.glob("libtensorflow_cc.so*"))), ctypes.RTLD_LOCAL)
    for name in RETURN_POINTERS:
        getattr(library, name).restype = ctypes.c_void_p
    library.TF_Message.restype = ctypes.c_char_p
    for name in ("TF_Dim", "TF_TensorByteSize", "TF_StringGetSize"):
        getattr(library, name).restype = ctypes.c_int64
    return library


def pointer(value):
    return ctypes.c_void_p(value)


class Session:
    def __init__(self, library, version_dir):
        self.library = library
        self.status = pointer(library.TF_NewStatus())
        self.graph = pointer(library.TF_NewGraph())
        definition = Buffer()
        self.session = pointer(
            library.TF_LoadSessionFromSavedModel(
                pointer(library.TF_NewSessionOptions()),
                None,
                str(version_dir).encode(),
                (ctypes.c_char_p * 1)(b"serve"),
                1,
                self.graph,
                ctypes.byref(definition),
                self.status,
            )
        )
        self.check()
        self.signatures = read_signatures(ctypes.string_at(definition.data, definition.length))

    def close(self):
        self.library.TF_CloseSession(self.session, self.status)
        self.library.TF_DeleteSession(self.session, self.status)
        self.library.TF_DeleteGraph(self.graph)

    def check(self):
        if self.library.TF_GetCode(self.status):
            raise RefusedError(self.library.TF_Message(self.status).decode())

    def run(self, signature, inputs):
        if signature not in self.signatures:
            raise RefusedError(f"no signature {signature}: {sorted(self.signatures)}")
        feeds, fetches = self.signatures[signature]
        if set(feeds) != set(inputs):
            raise RefusedError(f"inputs {sorted(inputs)} where {sorted(feeds)} are expected")
        values = (ctypes.c_void_p * len(feeds))(*(self.to_tensor(inputs[key]) for key in feeds))
        results = (ctypes.c_void_p * len(fetches))()
        self.library.TF_SessionRun(
            *(self.session, None),
            *(self.outputs(feeds.values()), values, len(feeds)),
            *(self.outputs(fetches.values()), results, len(fetches)),
            *(None, 0, None, self.status),
        )
        self.check()
        return {key: self.from_tensor(tensor) for key, tensor in zip(fetches, results, strict=True)}

    def outputs(self, tensor_names):
        array = (Output * len(tensor_names))()
        for place, name in zip(array, tensor_names, strict=True):
            operation, index = name.split(":")
            place.operation = self.library.TF_GraphOperationByName(self.graph, operation.encode())
            place.index = int(index)
        return array

    def to_tensor(self, array):
        code = next(code for code, dtype in DTYPES.items() if dtype == array.dtype)
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        tensor = self.library.TF_AllocateTensor(
            code, shape, array.ndim, ctypes.c_size_t(array.nbytes)
        )
        data = self.library.TF_TensorData(pointer(tensor))
        ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, array.nbytes)
        return tensor

    def from_tensor(self, tensor):
        tensor, library = pointer(tensor), self.library
        shape = [library.TF_Dim(tensor, axis) for axis in range(library.TF_NumDims(tensor))]
        code, data = library.TF_TensorType(tensor), library.TF_TensorData(tensor)
        if code == STRING:
            rows = [pointer(data + STRING_BYTES * row) for row in range(shape[0])]
            return [
                ctypes.string_at(
                    library.TF_StringGetDataPointer(row), library.TF_StringGetSize(row)
                )
                for row in rows
            ]
        content = ctypes.string_at(data, library.TF_TensorByteSize(tensor))
        return np.frombuffer(content, DTYPES[code]).reshape(shape)


# The wire format of protocol buffers ---------------------------------------------------------


def fields(message):
    """Yields (number, payload) of the length-delimited fields of a message, skipping others."""
    place = 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(message):
        tag = varint()
        kind = tag & 7
        if kind == 2:
            length = varint()
            yield tag >> 3, message[place : place + length]
            place += length
        elif kind == 0:
            varint()
        else:
            place += {1: 8, 5: 4}[kind]


def entries(message, number):
    """Reads the map<string, message> that is one field of a message."""
    pairs = (dict(fields(payload)) for found, payload in fields(message) if found == number)
    return {pair[1].decode(): pair.get(2, b"") for pair in pairs}


def read_signatures(meta_graph):
    """Reads {signature: (inputs, outputs)} of a MetaGraphDef, each {name: tensor name}."""

    def tensors(signature, number):
        infos = entries(signature, number)
        return {key: dict(fields(info))[1].decode() for key, info in infos.items()}

    signatures = entries(meta_graph, 5).items()
    # The op that restores the variables has a signature too, without inputs.
    return {
        name: (tensors(signature, 1), tensors(signature, 2))
        for name, signature in signatures
        if not name.startswith("__")
    }


def answer(library, version_dir, signature, given, got):
    """Runs one request; returns None, or why TensorFlow refused."""
    try:
        session = Session(library, version_dir)
    except RefusedError as error:
        return str(error)
    try:
        results = session.run(signature, dict(np.load(given)))
    except RefusedError as error:
        return str(error)
    finally:
        session.close()
    arrays = {}
    for key, value in results.items():
        if isinstance(value, list):
            rows = {f"{key}/{row}": np.frombuffer(data, "uint8") for row, data in enumerate(value)}
            arrays.update(rows)
        else:
            arrays[key] = value
    np.savez(got, **arrays)
    return None


def main():
    library = open_library()
    for line in sys.stdin:
        print(json.dumps(answer(library, *json.loads(line))), flush=True)
        assert not {"tensorflow", "keras"} & set(sys.modules)


if __name__ == "__main__":
    main()
