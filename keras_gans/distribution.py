"""Spreads training over devices and machines: a `tf.distribute` strategy from a name."""

import json
import os
import zlib
from typing import NamedTuple

import keras
import tensorflow as tf

from keras_gans import compat
from keras_gans.errors import InputError

SLURM_PORT = 8888  # of a machine's first task
STRATEGIES = ("auto", "one", "mirrored", "multi-worker")


class Shard(NamedTuple):
    """The replicas that one process feeds: `count` of `total`, from number `first` on.

    Each batch is cut into `total` equal parts, one a replica.
    """

    first: int
    count: int
    total: int


WHOLE_BATCH = Shard(first=0, count=1, total=1)


def make_strategy(name="auto", devices=None):
    """Makes a `tf.distribute.Strategy`, once in a process, before TensorFlow does anything else.

    Args:
        name: `one` device; `mirrored`: a replica on each device of this machine; `multi-worker`:
            one on each device of each machine that `TF_CONFIG` or Slurm names; `auto`: what these,
            the number of GPUs and `devices` suggest.
        devices: How many, or their names as "GPU:0,GPU:1". Default: all GPUs, or the CPU, which
            counts as one device unless more are asked for.

    Raises:
        InputError: If there are no such devices, or no workers, or the name is unknown.
    """
    if name not in STRATEGIES:
        raise InputError(f"strategy must be one of {', '.join(STRATEGIES)}. Received: {name!r}")
    if uses_several_workers(name):
        return _multi_worker(devices)
    if name == "auto":
        name = "mirrored" if len(_devices(devices, every=True)) > 1 else "one"
    chosen = _devices(devices, every=name == "mirrored")
    if name == "mirrored":
        return tf.distribute.MirroredStrategy(chosen)
    if len(chosen) > 1:
        raise InputError(f"strategy one takes one device. Received: devices={devices}")
    by_name = devices and tf.distribute.OneDeviceStrategy(f"/{chosen[0]}")
    return by_name or tf.distribute.get_strategy()


def uses_several_workers(name):
    """Whether a strategy of this name is one of several processes, by `TF_CONFIG` or Slurm."""
    several = len(_addresses(_tf_config().get("cluster", {}))) > 1 or _slurm_tasks() > 1
    return name == "multi-worker" or (name == "auto" and several)


def describe_strategy(strategy):
    """Says in words on which devices a strategy trains."""
    count = strategy.num_replicas_in_sync
    names = [device.partition("device:")[2] or device for device in local_devices(strategy)]
    text = f"{count} replica{'s' if count > 1 else ''}, here on {', '.join(names)}"
    if num_workers(strategy) == 1:
        return text
    return f"worker {worker_index(strategy)} of {num_workers(strategy)}, {text}"


def local_devices(strategy):
    """Full names of the devices that this process trains on."""
    try:
        return strategy.extended.worker_devices
    except RuntimeError:  # TensorFlow's default does not tell
        gpus, cpus = (tf.config.list_logical_devices(kind) for kind in ("GPU", "CPU"))
        return [(gpus or cpus)[0].name]


def is_on_gpu(strategy):
    """Whether this process trains on a GPU."""
    return any("GPU" in device for device in local_devices(strategy))


def num_workers(strategy):
    """Number of processes that train together."""
    resolver = strategy.cluster_resolver
    return 1 if resolver is None else len(_addresses(resolver.cluster_spec().as_dict()))


def worker_index(strategy):
    """Returns the number of this process among the workers; the chief's is 0."""
    if num_workers(strategy) == 1:
        return 0
    resolver = strategy.cluster_resolver
    jobs = resolver.cluster_spec().as_dict()
    behind = len(jobs.get("chief", [])) if resolver.task_type == "worker" else 0
    return behind + resolver.task_id


def is_chief(strategy):
    """Whether this process is the one that writes runs and exports."""
    return worker_index(strategy) == 0


def replica_shard(strategy):
    """The `Shard` of each batch that this process feeds to its replicas."""
    total = strategy.num_replicas_in_sync
    count = total // num_workers(strategy)
    return Shard(worker_index(strategy) * count, count, total)


def synchronize_batch_normalization(model, whole):
    """Lets each BatchNormalization of a model see the `whole` batch, or its replica's part."""
    for layer in compat.all_layers(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = whole


def mean_over_replicas(*tensors):
    """Averages each of some tensors, all of one shape and dtype, over replicas in one message."""
    context = tf.distribute.get_replica_context()
    return tf.unstack(context.all_reduce("MEAN", tf.stack(tensors)))


def check_agreement(strategy, facts):
    """Checks that all workers found the same facts, `{name: text}`, before they train together.

    Raises:
        InputError: Naming a fact and a replica that differ from the chief.
    """
    if num_workers(strategy) == 1:
        return
    # Gathered as numbers, a row from each replica, of which those of one worker are alike.
    numbers = [zlib.crc32(str(value).encode()) for value in facts.values()]
    rows = _gathered(strategy, tf.constant([numbers], tf.int64))
    for name, column in zip(facts, rows.T, strict=True):
        others = (column != column[0]).nonzero()[0]
        if len(others):
            raise InputError(
                f"replica {others[0]} has another {name} than the chief: every worker needs the "
                "same command, the same data, and a file system that all of them share. Here: "
                f"{facts[name]}"
            )


def barrier(strategy):
    """Waits for all workers, so that none ends well where another fails; OpError if one is gone."""
    if num_workers(strategy) > 1:
        _gathered(strategy, tf.zeros((1, 1), tf.int64))


def _gathered(strategy, row):
    def gather():
        return tf.distribute.get_replica_context().all_gather(row, axis=0)

    return strategy.experimental_local_results(strategy.run(tf.function(gather)))[0].numpy()


def _multi_worker(devices):
    if devices:
        gpus = tf.config.list_physical_devices("GPU")
        names = _devices(devices, every=True)
        chosen = [gpu for number, gpu in enumerate(gpus) if f"GPU:{number}" in names]
        tf.config.set_visible_devices(chosen, "GPU")
    in_slurm = not _tf_config() and _slurm_tasks() > 1
    if not in_slurm and not _tf_config().get("cluster"):
        raise InputError(
            "strategy multi-worker needs workers: start it under Slurm's srun, set TF_CONFIG as "
            "Kubeflow does, or say WORKERS=2 to make for two on this machine"
        )
    try:
        if in_slurm:
            os.environ["TF_CONFIG"] = json.dumps(_slurm_config())
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except (ValueError, KeyError, RuntimeError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"the workers cannot be joined: {reason}") from error


def _tf_config():
    """`TF_CONFIG`, as Kubeflow and others set it."""
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        config = json.loads(text)
        if not isinstance(config, dict):
            raise ValueError("no object")
    except ValueError as error:
        raise InputError(f"TF_CONFIG must be a JSON object ({error}). Received: {text}") from error
    return config


def _slurm_config():
    """What `TF_CONFIG` would say in this task of a Slurm step."""
    nodes, tasks = os.environ["SLURM_STEP_NODELIST"], os.environ["SLURM_STEP_TASKS_PER_NODE"]
    hosts = compat.slurm_hosts(nodes, tasks)
    workers = [f"{host}:{SLURM_PORT + task}" for host, count in hosts for task in range(count)]
    task = {"type": "worker", "index": int(os.environ["SLURM_PROCID"])}
    return {"cluster": {"worker": workers}, "task": task}


def _slurm_tasks():
    text = os.environ.get("SLURM_STEP_NUM_TASKS", "1")
    return int(text) if text.isdecimal() else 1


def _addresses(jobs):
    return [address for job in ("chief", "worker") for address in jobs.get(job, [])]


def _devices(devices, every):
    """Names such as "GPU:0"; the CPU is split if several of it are asked for."""
    gpus = [f"GPU:{i}" for i in range(len(tf.config.list_physical_devices("GPU")))]
    text = str(devices or "").strip()
    if not text:
        return (gpus if every else gpus[:1]) or ["CPU:0"]
    if text.isdecimal():
        names = (gpus or [f"CPU:{i}" for i in range(int(text))])[: int(text)]
        if len(names) != int(text) or not names:
            raise InputError(f"devices={text}: there are {len(gpus)} GPUs")
    else:
        names = [name.strip().upper() for name in text.split(",")]
    _check_devices(names, gpus)
    return names


def _check_devices(names, gpus):
    numbers = [name.removeprefix("CPU:") for name in names if name not in gpus]
    if not all(number.isdecimal() for number in numbers) or len(set(names)) < len(names):
        raise InputError(
            "devices must be a number, or different names as GPU:0,GPU:1 or CPU:0,CPU:1. "
            f"Received: {','.join(names)}; GPUs here: {', '.join(gpus) or 'none'}"
        )
    needed = 1 + max(map(int, numbers), default=0)
    cpu = tf.config.list_physical_devices("CPU")[0]
    there = tf.config.get_logical_device_configuration(cpu) or [None]
    if needed > len(there):
        try:
            parts = [tf.config.LogicalDeviceConfiguration()] * needed
            tf.config.set_logical_device_configuration(cpu, parts)
        except RuntimeError as error:
            raise InputError(f"TensorFlow has started with {len(there)} CPU devices") from error
