"""apps.benchmark: what it counts, what it compares with, what it writes. No speed is asserted."""

import collections
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from apps import benchmark
from apps.console import run_app
from apps.operations import training_operations
from keras_gans.recipes import RECIPES


@pytest.fixture(scope="module")
def source():
    return benchmark.random_source()


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(benchmark, "MATRIX_SIZE", 64)
    monkeypatch.setattr(benchmark, "SPLIT_SIZE", 100)


def batch_for(variant, source, size=4):
    (batch,) = benchmark.data.batches(source.train, size, seed=0).take(1)
    return batch if variant == "cgan" else batch[:1]


def test_a_run_reports_every_round(small, tmp_path, capsys):
    file = tmp_path / "reports" / "benchmark.json"
    flags = ["--batch-sizes", "4", "6", "--steps", "1", "--repeats", "2", "--json", str(file)]
    benchmark.main(["dcgan", *flags])
    report = json.loads(file.read_text())
    assert report["settings"] == {"steps": 1, "repeats": 2}
    assert tf.__version__ in report["machine"]["software"]
    order = [(result["variant"], result["batch_size"]) for result in report["results"]]
    assert order == [("dcgan", 4), ("dcgan", 6)]
    for result in report["results"]:
        _check_result(result)
    printed = capsys.readouterr().out
    for text in ("batch 4", "batch 6", "fit x 147.52 MFLOP / product", "4 x 4 x 64 x 128"):
        assert text in printed


def _check_result(result):
    assert len(result["rounds"]) == 2
    assert result["first_step_seconds"] > 0
    assert result["pipeline_images_per_second"] > 0
    assert result["mflop_per_image"] == pytest.approx(147.518, abs=1e-3)  # 42.25 + 105.27
    for values in result["rounds"]:
        rate, gflops = values["fit_images_per_second"], values["matmul_gflop_per_second"]
        assert values["fit_over_blog"] == pytest.approx(rate / values["blog_images_per_second"])
        assert values["step_milliseconds"] == pytest.approx(1000 * result["batch_size"] / rate)
        share = result["mflop_per_image"] / 1000 * rate / gflops
        assert values["share_of_matmul"] == pytest.approx(share)


def test_operations_by_hand():
    generator = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(2 * 2 * 5),
            layers.Reshape((2, 2, 5)),
            layers.Conv2DTranspose(1, 4, 2, "same"),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Conv2D(7, 3, 2, "same"),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name="discriminator",
    )
    dense, grow, shrink, logit = training_operations(generator, discriminator)
    # 3 x 20 products; forward and weights.
    assert (dense.passes, dense.step_mflop) == (2, pytest.approx(2 * 60 * 2e-6))
    # 4 x 4 x 1 x 5 products at 2 x 2 pixels; forward, weights, inputs.
    assert (grow.passes, grow.step_mflop) == (3, pytest.approx(3 * 80 * 4 * 2e-6))
    # 3 x 3 x 1 x 7 products at 2 x 2 pixels; forward of 3, weights of 2, inputs on the way to G.
    assert (shrink.passes, shrink.step_mflop) == (6, pytest.approx(6 * 63 * 4 * 2e-6))
    # 28 products; forward of 3, weights of 2, inputs of 3.
    assert (logit.passes, logit.step_mflop) == (8, pytest.approx(8 * 28 * 2e-6))


@pytest.mark.parametrize("variant", benchmark.VARIANTS)
def test_the_compiled_step_makes_the_passes_that_are_counted(variant, source):
    model = RECIPES[variant]().build(source)
    step = tf.function(model.train_step).get_concrete_function(batch_for(variant, source))
    made = collections.Counter(operation.type for operation in live_operations(step.graph))
    counted = expected_nodes(training_operations(model.generator, model.discriminator))
    assert {kind: made[kind] for kind in counted} == counted


def live_operations(graph):
    """What a step runs: gradients of convolutions come in pairs, and TensorFlow drops the unused
    ones."""
    live = set()
    waiting = [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    while waiting:
        operation = waiting.pop()
        if operation not in live:
            live.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
            waiting += operation.control_inputs
    return live


def expected_nodes(rows):
    """The three passes of each kind of layer as TensorFlow's operations: a transposed convolution
    is another one's gradient."""
    kinds = {
        "Dense": ("MatMul", "MatMul", "MatMul"),
        "Conv2D": ("Conv2D", "Conv2DBackpropFilter", "Conv2DBackpropInput"),
        "Conv2DTranspose": ("Conv2DBackpropInput", "Conv2DBackpropFilter", "Conv2D"),
    }
    nodes = dict.fromkeys(sum(kinds.values(), ()), 0)
    for row in rows:
        passes = (row.forward, row.weight_gradients, row.input_gradients)
        for kind, count in zip(kinds[row.kind], passes, strict=True):
            nodes[kind] += count
    return nodes


@pytest.mark.parametrize("variant", benchmark.VARIANTS)
def test_the_blogs_loop_trains_both_networks(variant, source):
    model = RECIPES[variant]().build(source)
    rival = benchmark.BlogPattern(model.generator, model.discriminator)
    batch = batch_for(variant, source)
    generator, discriminator = trainable(rival.generator), trainable(rival.discriminator)
    for _ in range(2):  # tracing, and as traced
        rival.fit(batch, steps=1)
        generator = check_all_moved(generator, rival.generator)
        discriminator = check_all_moved(discriminator, rival.discriminator)
    # The combined phase alone: batch statistics of D would move with it, too.
    before = rival.discriminator.get_weights()
    noise, labels = np.random.normal(size=(4, model.latent_dim)), [t.numpy() for t in batch[1:]]
    rival.combined.train_on_batch([noise, *labels] if labels else noise, np.ones((4, 1)))
    check_all_moved(generator, rival.generator)
    for old, new in zip(before, rival.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def check_all_moved(before, network):
    after = trainable(network)
    assert not [old.shape for old, new in zip(before, after, strict=True) if (old == new).all()]
    return after


def trainable(network):
    """Values of the weights that training should move, whatever `trainable` says now."""
    frozen = {"moving_mean", "moving_variance"}
    return [v.numpy() for v in network.weights if v.name not in frozen]


@pytest.mark.parametrize(
    ("flags", "cause"),
    [
        (["pixelcnn"], "unknown variant 'pixelcnn'"),
        (["--batch-sizes", "1"], "--batch-sizes must be 2 to 10000"),
        (["--repeats", "0"], "--repeats must be at least 1"),
        (["--steps", "many"], "steps"),
        (["--step", "2"], "--step"),
        (["--json", "."], "--json must be a file"),
        (["--json", "/dev/null/report.json"], "cannot write to /dev/null"),
    ],
)
def test_a_mistake_ends_in_one_line_and_status_2(flags, cause, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "measure", lambda *_: pytest.fail("measured"))
    with pytest.raises(SystemExit) as end:
        run_app(benchmark.PROGRAM, lambda: benchmark.main(flags))
    (line,) = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    assert cause in line
