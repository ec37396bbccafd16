"""The versions of exports that the server has loaded, and how it takes up new ones.

As TF Serving does it: a folder is looked at every second, the largest number is loaded first and
the one before it dropped afterwards, and a number whose load failed is not tried again. What is
loaded goes on being served while its folder is away.
"""

import contextlib
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import get_model_status_pb2

from keras_gans.errors import shape_text
from keras_gans.serving import export, warmup
from keras_gans.serving.server.refusal import CODES, RequestError, bad_argument, not_found

DEFAULT_SIGNATURE = "serving_default"
INITIAL = "__saved_model_init_op"  # the operation to run first, and its output's name
POLL_SECONDS = 1.0
STATE = get_model_status_pb2.ModelVersionStatus


class LoadedVersion:
    """One export in a session of its own, as TF Serving holds it."""

    def __init__(self, path, run_seconds=60.0):
        self.number = int(path.name)
        self.session = tf.compat.v1.Session(graph=tf.Graph(), config=_quick_to_load())
        graph = _graph_as_it_is(path)
        with self.session.graph.as_default(), export.quiet():
            saver = tf.compat.v1.train.import_meta_graph(graph)
            saver.restore(self.session, str(path / "variables" / "variables"))
            if INITIAL in graph.signature_def:
                self.session.run(graph.signature_def[INITIAL].outputs[INITIAL].name)
        self.signatures = dict(graph.signature_def)
        self.options = tf.compat.v1.RunOptions(timeout_in_ms=int(1000 * run_seconds))
        self.callables = {}
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._warm, warmup.read_requests(path)))

    def _warm(self, request):
        # The first run of a signature takes a hundred times as long as the next, and the first of a
        # single row, which most ask for, still several times.
        name, inputs = request
        self.run(name, inputs)
        self.run(name, {key: array[:1] if array.ndim else array for key, array in inputs.items()})

    def signature(self, name):
        """Returns the SignatureDef of a name, of none the default; refuses another."""
        name = name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise RequestError(
                grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
            )
        return self.signatures[name]

    def run(self, name, inputs, wanted=()):
        """Runs a signature on `{input: array}`; returns `{output: array}`, of `wanted` if any."""
        signature = self.signature(name)
        _check_names(signature, inputs)
        for key, array in inputs.items():
            _check_input(key, array, signature.inputs[key])
        wanted = tuple(wanted) or tuple(sorted(signature.outputs))
        for key in wanted:
            if key not in signature.outputs:
                raise bad_argument(f"output tensor alias not found in signature: {key}")
        feeds = tuple(sorted(signature.inputs))
        try:
            values = self._callable(signature, name, feeds, wanted)(
                *(inputs[key] for key in feeds), options=self.options
            )
        except tf.errors.OpError as error:
            raise RequestError(CODES[error.error_code], export.cause(error)) from None
        except UnicodeDecodeError as error:
            # The graph's refusal, with what was asked for in it, which is no text.
            message = error.object.decode("utf-8", "backslashreplace")
            raise bad_argument(export.cause(ValueError(message))) from None
        return dict(zip(wanted, values, strict=True))

    def _callable(self, signature, name, feeds, wanted):
        key = name or DEFAULT_SIGNATURE, wanted
        if key not in self.callables:
            self.callables[key] = self.session.make_callable(
                [signature.outputs[output].name for output in wanted],
                [signature.inputs[given].name for given in feeds],
                accept_options=True,
            )
        return self.callables[key]


def _graph_as_it_is(path):
    """Reads a version's MetaGraphDef, with the functions in it to be run as they are too.

    Each call of a function has a configuration of its own, which a session's does not change, so
    that TensorFlow's loader would have all of them optimized.
    """
    model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    graphs = [each for each in model.meta_graphs if "serve" in each.meta_info_def.tags]
    if not graphs:
        raise ValueError(f"{path / 'saved_model.pb'} holds no graph that can be served")
    config, graph = _quick_to_load().SerializeToString(), graphs[0].graph_def
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        for node in nodes:
            if "config_proto" in node.attr:
                node.attr["config_proto"].s = config
    return graphs[0]


def _quick_to_load():
    """A session that runs graphs as they are: optimized, they would be no faster at these sizes."""
    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = tf.compat.v1.OptimizerOptions.L0
    return config


def _check_names(signature, inputs):
    given, needed = set(inputs), set(signature.inputs)
    if given != needed:
        raise bad_argument(
            f"input size does not match signature: {len(given)}!={len(needed)}. Sent extra: "
            f"{{{','.join(sorted(given - needed))}}}. Missing but required: "
            f"{{{','.join(sorted(needed - given))}}}."
        )


def _check_input(key, array, info):
    dtype, shape = tf.dtypes.as_dtype(info.dtype), tf.TensorShape(info.tensor_shape)
    given = tf.string if array.dtype == object else tf.dtypes.as_dtype(array.dtype)
    if given != dtype:
        raise bad_argument(f"{key} must be of type {dtype.name}. Received: {given.name}")
    if not shape.is_compatible_with(array.shape):
        raise bad_argument(
            f"{key} must be of shape {shape_text(shape)}. Received: {shape_text(array.shape)}"
        )


@dataclass
class ServedModel:
    """A folder of versions: which are loaded, and what became of the others."""

    name: str
    folder: Path
    pinned: tuple[int, ...] = ()  # none: the largest number, whatever appears
    labels: dict[str, int] = field(default_factory=dict)
    loaded: dict[int, LoadedVersion] = field(default_factory=dict)
    states: dict[int, tuple] = field(default_factory=dict)  # {number: (state, code, message)}

    def poll(self):
        """Loads what should be served and is not, then drops what should not be."""
        if not self.folder.is_dir():
            return
        numbers = export.version_numbers(self.folder)
        aspired = set(self.pinned or numbers[-1:]) & set(numbers)
        failed = {number for number, (_, code, _) in self.states.items() if code}
        for number in sorted(aspired - set(self.loaded) - failed):
            self._load(number)
        if self.pinned or not aspired or aspired & set(self.loaded):
            dropped = set(self.loaded) - aspired
            for number in dropped:
                self.states[number] = (STATE.END, 0, "")
            # Requests that run on a dropped one hold it until they are answered.
            self.loaded = {n: v for n, v in self.loaded.items() if n in aspired}
            if dropped:
                gc.collect()

    def _load(self, number):
        self.states[number] = (STATE.LOADING, 0, "")
        try:
            version = LoadedVersion(self.folder / str(number))
        # What a damaged file raises depends on which byte, as of warm-up requests that fail.
        except Exception as error:
            self.states[number] = (STATE.END, grpc.StatusCode.UNKNOWN.value[0], export.cause(error))
            return
        self.loaded = {**self.loaded, number: version}
        self.states[number] = (STATE.AVAILABLE, 0, "")

    def find(self, version=None, label=None):
        """Returns the `LoadedVersion` of a request; refuses one that is not served."""
        if label is not None:
            if label not in self.labels:
                raise bad_argument(f"Unrecognized servable version label: {label}")
            version = self.labels[label]
        loaded = self.loaded
        if version is None and loaded:
            return loaded[max(loaded)]
        if version in loaded:
            return loaded[version]
        wanted = "Latest" if version is None else "Specific"
        number = "" if version is None else f", {version}"
        raise not_found(f"Servable not found for request: {wanted}({self.name}{number})")

    def status(self, version=None, label=None):
        """Returns a GetModelStatusResponse of one version or of all; refuses unknown ones."""
        if label is not None:
            version = self.find(label=label).number
        states = self.states if version is None else {version: self.states.get(version)}
        if not states or None in states.values():
            which = "any versions" if version is None else f"version {version}"
            raise not_found(f"Could not find {which} of model {self.name}")
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, (state, code, message) in sorted(states.items(), reverse=True):
            entry = response.model_version_status.add(version=number, state=state)
            entry.status.error_code, entry.status.error_message = code, message
        return response


class ModelStore:
    """The models of a folder, one or all, kept up to date by a thread of its own."""

    def __init__(self, saved_models, only=None, pinned=(), labels=None):
        self.saved_models = Path(saved_models)
        self.only = only
        self.chosen = {"pinned": tuple(pinned), "labels": dict(labels or {})}
        self.models = {}
        self.stopping = threading.Event()

    def poll(self):
        """Looks at the folder once."""
        names = [self.only] if self.only else []
        # A folder that goes away while it is read is looked at again a second later.
        with contextlib.suppress(OSError):
            folders = () if self.only else sorted(self.saved_models.iterdir())
            names += [f.name for f in folders if f.name[0] != "." and export.version_numbers(f)]
        for name in names:
            if name not in self.models:
                self.models[name] = ServedModel(name, self.saved_models / name, **self.chosen)
            with contextlib.suppress(OSError):
                self.models[name].poll()

    def follow(self):
        """Looks at the folder every second until `stopping` is set."""
        while not self.stopping.wait(POLL_SECONDS):
            self.poll()

    def model(self, name):
        """Returns the `ServedModel` of a name; refuses an unknown one."""
        if name not in self.models:
            raise not_found(f"Servable not found for request: Latest({name})")
        return self.models[name]

    def run(self, name, version, label, signature, inputs, wanted=()):
        """Runs a request; returns `(version number, {output: array})`."""
        loaded = self.model(name).find(version, label)
        return loaded.number, loaded.run(signature, inputs, wanted)
