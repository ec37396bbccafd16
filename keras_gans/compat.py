"""What this library needs of Keras and TensorFlow: settings, and private names with their reasons.

Settings are checked when it is imported, before anything is built on them; a version that lacks a
name is refused where the name is used, not misread.
"""

import importlib.util
import itertools
import os

# What the networks, the losses and saved files are written for.
NEEDED = {"backend": "tensorflow", "image_data_format": "channels_last", "floatx": "float32"}
OTHER_BACKENDS = ("jax", "torch", "openvino")


def check_keras_settings():
    """Imports Keras and returns it; ImportError in one line if its settings do not fit."""
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "")
    if legacy.lower() in ("1", "true") and importlib.util.find_spec("tf_keras") is None:
        raise ImportError(
            "keras_gans needs Keras 3: unset TF_USE_LEGACY_KERAS, for which TensorFlow looks for "
            f"tf_keras. Received: TF_USE_LEGACY_KERAS={legacy}"
        )
    try:
        import keras
    except (ImportError, ValueError) as error:
        # Of a backend that is not installed Keras says no more than which module it lacks.
        missing, asked = getattr(error, "name", None), os.environ.get("KERAS_BACKEND", "tensorflow")
        if asked == "tensorflow" and missing not in OTHER_BACKENDS:
            raise
        came = f"backend={missing}" if asked == "tensorflow" else f"KERAS_BACKEND={asked}"
        raise ImportError(f"{_cure('backend')}. Received: {came}") from error
    for name, needed in NEEDED.items():
        if (value := getattr(keras.config, name)()) != needed:
            raise ImportError(f"{_cure(name)}. Received: {name}={value}")
    return keras


def _cure(name):
    needed = NEEDED[name]
    how = {
        "backend": "set KERAS_BACKEND=tensorflow before the first import of keras",
        "image_data_format": f"call keras.config.set_image_data_format({needed!r}) before",
        "floatx": f"call keras.config.set_floatx({needed!r}) before",
    }
    return f"keras_gans needs Keras's {name} {needed}: {how[name]}, or change ~/.keras/keras.json"


keras = check_keras_settings()


def all_layers(model):
    """Every layer of a Keras model, those of nested models too, as a list.

    The public `layers` stops at nested models, whose layers it does not list.
    """
    return list(_required(model, "_flatten_layers")())


def functional_calls(network):
    """Every call of a layer in a functional network; empty for another kind of network.

    Each has `operation`, `input_tensors` and `outputs`. Keras has no public way to ask for them.
    """
    if "Functional" not in [kind.__name__ for kind in type(network).__mro__]:
        return []
    return list(itertools.chain.from_iterable(_required(network, "_nodes_by_depth").values()))


def skip_gradient_reduction(optimizer):
    """Makes a Keras optimizer take gradients as they are; returns it.

    Keras sums the gradients over replicas inside `apply`, after it has clipped each replica's and
    looked for overflow on the first alone. Callers that have the sum keep it from summing again.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    _required(inner, "_all_reduce_sum_gradients")
    inner._all_reduce_sum_gradients = list
    return optimizer


def built_by_constructor(model_class):
    """Class decorator: keeps `fit` from building the model symbolically.

    A model whose constructor has built it needs none, and Keras's own fails under several workers
    (keras issue 20585).
    """
    _required(keras.Model, "_maybe_symbolic_build")
    model_class._maybe_symbolic_build = lambda self, iterator=None, data_batch=None: None
    return model_class


def slurm_hosts(node_list, tasks_per_node):
    """Slurm's compressed lists, `n[1-2]` and `2(x2)`, as `[(host, number of tasks)]`.

    TensorFlow's parser; its SlurmClusterResolver around it is not usable: it sorts hosts as text,
    needs nvidia-smi and invents GPUs.
    """
    try:
        from tensorflow.python.distribute.cluster_resolver import slurm_cluster_resolver as slurm

        parsers = slurm.expand_hostlist, slurm.expand_tasks_per_node
    except (ImportError, AttributeError) as error:
        message = f"this version of TensorFlow has no parser of Slurm's lists: {error}"
        raise ImportError(message) from error
    return list(zip(parsers[0](node_list), parsers[1](tasks_per_node), strict=True))


def _required(owner, name):
    if not hasattr(owner, name):
        kind = owner if isinstance(owner, type) else type(owner)
        raise AttributeError(
            f"keras {keras.__version__} has no {kind.__name__}.{name}, which keras_gans needs: "
            "install a version within the range of setup.cfg"
        )
    return getattr(owner, name)
