"""A model's network as one file for other runtimes, ONNX or LiteRT, by Keras's own exporters.

What the model's `call` computes, in float32: latents (and labels) to images, images to their
reconstructions, or images of X to images of Y. Seeds, checks and PNG files are the SavedModel's.
"""

import contextlib
import importlib
import io
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gans.errors import InputError, RunError
from keras_gans.serving.export import cause, quiet
from keras_gans.serving.signatures import in_float32
from keras_gans.serving.warmup import ROWS, SIDE

ENDINGS = {"onnx": ".onnx", "litert": ".tflite"}
# What writes and what runs them: of the extra of the same name.
MODULES = {"onnx": ("tf2onnx", "onnxruntime"), "litert": ("ai_edge_litert",)}
TOLERANCE = 1e-4


@quiet()
def write_network(model, path, file_format):
    """Writes a model's network as a file, run by the format's own runtime before it appears.

    Args:
        model: A `GenerativeModel`.
        path: Where; it gets the format's ending if it has another.
        file_format: "onnx" or "litert".

    Returns:
        The file's `Path`.

    Raises:
        InputError: Without the libraries of the extra, or for a path that cannot be written.
        RunError: If Keras cannot convert the model, or the file does not give what the model gives.
    """
    for module in MODULES[file_format]:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise InputError(
                f"--format {file_format} needs {module}: .venv/bin/pip install -e "
                f"'.[{file_format}]' ({error})"
            ) from error
    path = Path(path).with_suffix(ENDINGS[file_format])
    specs = call_specs(model)
    given = specs if len(specs) == 1 else [specs]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tmp-") as folder:
            staged = Path(folder, path.name)
            with in_float32(model), contextlib.redirect_stdout(io.StringIO()):
                keras.Model.export(
                    model, str(staged), format=file_format, verbose=False, input_signature=given
                )
            _check(model, specs, staged, file_format)
            staged.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {cause(error)}") from error
    return path


def call_specs(model):
    """The tensor specs of what a model's `call` takes, in its order."""
    signatures = model.signatures()
    name = "reconstruct" if "reconstruct" in signatures else "serving_default"
    return list(signatures[name][1])


def _check(model, specs, path, file_format):
    random = np.random.default_rng(0)
    shapes = [[ROWS, *(side or SIDE for side in spec.shape[1:])] for spec in specs]
    inputs = [
        np.zeros(shape, np.int32)
        if spec.dtype == tf.int32
        else random.uniform(-1.0, 1.0, shape).astype(np.float32)
        for spec, shape in zip(specs, shapes, strict=True)
    ]
    with in_float32(model):
        tensors = [tf.constant(value) for value in inputs]
        expected = model(tensors if len(tensors) > 1 else tensors[0], training=False).numpy()
    run = {"onnx": _run_onnx, "litert": _run_litert}[file_format]
    actual = run(path, {spec.name: v for spec, v in zip(specs, inputs, strict=True)})
    difference = np.abs(actual - expected).max()
    if not difference <= TOLERANCE:
        raise RunError(f"{path.name} differs from the model by {difference:g}; nothing was written")


def _run_onnx(path, inputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    (output,) = session.run(None, dict(zip(names, inputs.values(), strict=True)))
    return output


def _run_litert(path, inputs):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    # Two inputs stand in no order: of a latent and a label each is the one of its type.
    places = {detail["dtype"]: detail["index"] for detail in interpreter.get_input_details()}
    for value in inputs.values():
        interpreter.resize_tensor_input(places[value.dtype.type], value.shape)
    interpreter.allocate_tensors()
    for value in inputs.values():
        interpreter.set_tensor(places[value.dtype.type], value)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
