"""Runs exports as TF Serving does: by TensorFlow's C++ loader alone, in a process of its own.

    python keras_gans/serving/cpp_loader.py LIBRARY

reads requests from stdin, one a line as JSON: `[version folder, [[signature, inputs.npz,
outputs.npz], ...]]`, and answers each with a line: null, or why the loader refused, then for each
signature the same. That process imports neither TensorFlow nor Keras. `run_signatures` asks it.
"""

import contextlib
import ctypes
import functools
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

STRING = 7
DTYPES = {
    code: np.dtype(name)
    for code, name in {
        1: "float32",
        2: "float64",
        3: "int32",
        4: "uint8",
        5: "int16",
        6: "int8",
        STRING: "object",
        9: "int64",
        10: "bool",
        17: "uint16",
        19: "float16",
    }.items()
}
STRING_BYTES = 24  # sizeof(TF_TString)
ONE_AT_A_TIME = threading.Lock()  # the process answers in the order of requests


class RefusedError(Exception):
    """TensorFlow's C++ runtime answered with an error; the message is its own."""


def run_signatures(version_dir, requests):
    """Runs signatures of an export in a process that imports no TensorFlow and no Keras.

    The export is loaded anew for each call; the process is started once and ends with this one.

    Args:
        version_dir: Folder that holds `saved_model.pb`.
        requests: Pairs `(signature, {input: array})`; strings are arrays of bytes as objects.

    Returns:
        For each request `{output: array}`, or the RefusedError of the graph.

    Raises:
        RefusedError: If the loader refuses the export.
        RuntimeError: If the process ended.
    """
    with ONE_AT_A_TIME, tempfile.TemporaryDirectory() as folder:
        process, log = _process()
        files = []
        for place, (signature, inputs) in enumerate(requests):
            given, got = (str(Path(folder, f"{name}{place}.npz")) for name in ("in", "out"))
            _save(given, inputs)
            files.append([signature, given, got])
        with contextlib.suppress(BrokenPipeError):
            # The process stays where it was started, whatever folder this one goes to.
            process.stdin.write(f"{json.dumps([str(Path(version_dir).absolute()), files])}\n")
            process.stdin.flush()
        if not (line := process.stdout.readline()):
            _process.cache_clear()
            log.seek(0)
            raise RuntimeError(f"the loader ended with {process.wait()}: {log.read()[-500:]}")
        refusal, outcomes = json.loads(line)
        if refusal is not None:
            raise RefusedError(refusal)
        return [
            _load(got) if outcome is None else RefusedError(outcome)
            for (_, _, got), outcome in zip(files, outcomes, strict=True)
        ]


@functools.cache
def _process():
    """The process, which ends with this one, and what it says on stderr."""
    import tensorflow as tf  # not in the process itself, which runs this file

    (library, *_) = sorted(Path(tf.__file__).parent.glob("libtensorflow_cc*"))
    log = tempfile.TemporaryFile("w+")  # noqa: SIM115
    # A GPU is the model's; what is checked here runs on the CPU.
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "text": True}
    command = [sys.executable, __file__, str(library)]
    return subprocess.Popen(command, env=environment, **pipes), log


def _save(path, arrays):
    """Writes arrays as `.npz`; one of strings as its shape, and a file of bytes for each."""
    plain = {}
    for name, array in arrays.items():
        array = np.asarray(array)
        if array.dtype != object:
            plain[name] = array
            continue
        plain[f"{name}/shape"] = np.array(array.shape, np.int64)
        for place, item in enumerate(array.ravel()):
            plain[f"{name}/{place}"] = np.frombuffer(item, np.uint8)
    np.savez(path, **plain)


def _load(path):
    arrays = {}
    with np.load(path) as saved:
        for name in saved.files:
            if "/" not in name:
                arrays[name] = saved[name]
            elif name.endswith("/shape"):
                name, shape = name.removesuffix("/shape"), saved[name]
                array = np.empty(math.prod(shape), object)
                array[:] = [saved[f"{name}/{place}"].tobytes() for place in range(array.size)]
                arrays[name] = array.reshape(shape)
    return arrays


# The C API -----------------------------------------------------------------------------------


class Output(ctypes.Structure):
    """TF_Output: an operation, and which of its outputs."""

    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


class Buffer(ctypes.Structure):
    """TF_Buffer: bytes of the library's."""

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


def open_library(path):
    """Opens TensorFlow's C++ library and declares what its functions return."""
    # RTLD_GLOBAL crashed with numpy.random.
    library = ctypes.CDLL(path, ctypes.RTLD_LOCAL)
    for name in RETURN_POINTERS:
        getattr(library, name).restype = ctypes.c_void_p
    library.TF_Message.restype = ctypes.c_char_p
    for name in ("TF_Dim", "TF_TensorByteSize", "TF_StringGetSize"):
        getattr(library, name).restype = ctypes.c_int64
    return library


def pointer(value):
    """Returns what ctypes passes on as an address."""
    return ctypes.c_void_p(value)


class Session:
    """An export, loaded as TF Serving loads it."""

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
        """Frees what the library holds."""
        self.library.TF_CloseSession(self.session, self.status)
        self.library.TF_DeleteSession(self.session, self.status)
        self.library.TF_DeleteGraph(self.graph)

    def check(self):
        """Raises RefusedError with the library's words if its last call failed."""
        if self.library.TF_GetCode(self.status):
            raise RefusedError(self.library.TF_Message(self.status).decode())

    def run(self, signature, inputs):
        """Runs a signature on `{input: array}`; returns `{output: array}`."""
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
        """Finds the tensors of a graph by name, an array of TF_Output."""
        array = (Output * len(tensor_names))()
        for place, name in zip(array, tensor_names, strict=True):
            operation, index = name.split(":")
            place.operation = self.library.TF_GraphOperationByName(self.graph, operation.encode())
            place.index = int(index)
        return array

    def to_tensor(self, array):
        """Copies an array into a tensor of the library's."""
        code = next(code for code, dtype in DTYPES.items() if dtype == array.dtype)
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        size = array.size * (STRING_BYTES if code == STRING else array.itemsize)
        tensor = self.library.TF_AllocateTensor(code, shape, array.ndim, ctypes.c_size_t(size))
        data = self.library.TF_TensorData(pointer(tensor))
        if code != STRING:
            ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, size)
            return tensor
        for place, item in enumerate(array.ravel()):
            string = pointer(data + STRING_BYTES * place)
            self.library.TF_StringInit(string)
            self.library.TF_StringCopy(string, item, ctypes.c_size_t(len(item)))
        return tensor

    def from_tensor(self, tensor):
        """Copies a tensor into an array; strings are objects."""
        tensor, library = pointer(tensor), self.library
        shape = [library.TF_Dim(tensor, axis) for axis in range(library.TF_NumDims(tensor))]
        code, data = library.TF_TensorType(tensor), library.TF_TensorData(tensor)
        if code == STRING:
            places = [pointer(data + STRING_BYTES * place) for place in range(math.prod(shape))]
            read, size = library.TF_StringGetDataPointer, library.TF_StringGetSize
            items = [ctypes.string_at(read(place), size(place)) for place in places]
            array = np.empty(len(items), object)
            array[:] = items
            return array.reshape(shape)
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


def answer(library, version_dir, requests):
    """Runs the requests of one line; returns `(refusal of the load, refusal of each request)`."""
    try:
        session = Session(library, version_dir)
    except RefusedError as error:
        return str(error), []
    outcomes = []
    for signature, given, got in requests:
        try:
            _save(got, session.run(signature, _load(given)))
            outcomes.append(None)
        except RefusedError as error:
            outcomes.append(str(error))
    session.close()
    return None, outcomes


def main(library_path):
    """Answers the lines of stdin."""
    library = open_library(library_path)
    for line in sys.stdin:
        print(json.dumps(answer(library, *json.loads(line))), flush=True)
        assert not {"tensorflow", "keras"} & set(sys.modules)


if __name__ == "__main__":
    main(sys.argv[1])
