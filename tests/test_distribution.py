"""Strategies from names, what they say of themselves, and what they refuse."""

import json

import keras
import pytest
import tensorflow as tf

from keras_gans import distribution
from keras_gans.errors import InputError
from keras_gans.networks import convolutional

CLUSTER = {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}


@pytest.fixture(autouse=True)
def no_workers(monkeypatch):
    for name in ("TF_CONFIG", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_wish_one_device_trains():
    strategy = distribution.make_strategy()
    assert strategy is tf.distribute.get_strategy()
    assert distribution.describe_strategy(strategy) == "1 replica, here on CPU:0"
    assert distribution.replica_shard(strategy) == (0, 1, 1)
    assert distribution.is_chief(strategy)


def test_one_device_by_its_name():
    strategy = distribution.make_strategy("one", "cpu:1")
    assert distribution.describe_strategy(strategy) == "1 replica, here on CPU:1"
    with strategy.scope():
        variable = tf.Variable(1.0)
    assert variable.device.endswith("CPU:1")


def test_replicas_on_one_machine(two_replicas):
    assert distribution.describe_strategy(two_replicas) == "2 replicas, here on CPU:0, CPU:1"
    assert distribution.replica_shard(two_replicas) == (0, 2, 2)


@pytest.mark.parametrize(
    ("name", "devices", "words"),
    [
        ("both", None, "strategy must be one of auto, one, mirrored, multi-worker"),
        ("one", "2", "one takes one device"),
        ("mirrored", "GPU:0", "GPUs here: none"),
        ("mirrored", "CPU:0,CPU:0", "different names"),
        ("mirrored", "0", "there are 0 GPUs"),
        ("mirrored", "two", "devices must be a number"),
        ("mirrored", "²", "devices must be a number"),
        ("mirrored", "CPU:²", "devices must be a number"),
        # Splitting the CPU is possible only before TensorFlow starts.
        ("mirrored", "3", "has started with 2 CPU devices"),
        ("multi-worker", None, "needs workers"),
    ],
)
def test_what_cannot_be_had_is_refused(name, devices, words):
    with pytest.raises(InputError, match=words):
        distribution.make_strategy(name, devices)


def test_workers_are_joined_where_the_environment_names_several(monkeypatch):
    assert not distribution.uses_several_workers("auto")
    assert distribution.uses_several_workers("multi-worker")
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": ["10.0.0.1:2222"]}}))
    assert not distribution.uses_several_workers("auto")
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": CLUSTER}))
    assert distribution.uses_several_workers("auto")
    assert not distribution.uses_several_workers("one")


def test_a_worker_sees_the_gpus_that_are_named(monkeypatch):
    gpus = [tf.config.PhysicalDevice(f"/physical_device:GPU:{i}", "GPU") for i in range(12)]
    devices, seen = {"GPU": gpus, "CPU": tf.config.list_physical_devices("CPU")}, []
    monkeypatch.setattr(tf.config, "list_physical_devices", devices.get)
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda gpus, kind: seen.extend(gpus))
    with pytest.raises(InputError, match="needs workers"):
        distribution.make_strategy("multi-worker", "GPU:1,GPU:10")
    assert seen == [gpus[1], gpus[10]]


def test_slurms_tasks_are_workers(monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    assert distribution.uses_several_workers("auto")
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    assert not distribution.uses_several_workers("auto")


@pytest.mark.parametrize("text", ["{", "[]", "2"])
def test_a_broken_tf_config_is_named(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match="TF_CONFIG must be a JSON object"):
        distribution.make_strategy("auto")


def test_every_batch_normalization_is_told_what_it_sees():
    generator = convolutional.generator((8, 8, 1), 4, (4, 4))
    model = keras.Sequential([generator])
    distribution.synchronize_batch_normalization(model, True)
    inside = [la for la in generator.layers if isinstance(la, keras.layers.BatchNormalization)]
    assert len(inside) > 1
    assert all(layer.synchronized for layer in inside)
    distribution.synchronize_batch_normalization(model, False)
    assert not any(layer.synchronized for layer in inside)
