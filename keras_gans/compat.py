"""The private names of Keras and TensorFlow that this library needs, each with its reason.

A version that lacks one is refused by name where it is used, not misread.
"""

import itertools

import keras


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
