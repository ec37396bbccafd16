"""Warnings: from where on, once, in one line, past the progress bar, and in TensorBoard."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tqdm import tqdm

import keras_gans as kg
from keras_gans.callbacks import health
from tests.models.test_gan import TestGAN as Toy

TOY = Toy()
WON = {"real_accuracy": 1.0, "fake_accuracy": 1.0}
PLAIN = {"real_accuracy": 0.7, "fake_accuracy": 0.7}
COLLAPSED = {"real_diversity": 0.4, "fake_diversity": 0.01}
HEALTHY = {
    "real_accuracy": 0.8,
    "fake_accuracy": 0.8,
    "real_diversity": 0.4,
    "fake_diversity": 0.4,
    "classes_covered": 10,
    "classes": 10,
}


def epochs_of(callback, *logs, steps=100):
    """Ends an epoch with each of `logs`, `steps` steps after the one before."""
    callback.set_model(TOY.compiled())
    for epoch, values in enumerate(logs):
        callback.model.step.assign_add(steps)
        callback.on_epoch_end(epoch, dict(values))


def lines_of(*logs, **kwargs):
    file = io.StringIO()
    epochs_of(kg.callbacks.Health(file=file, first_step=0), *logs, **kwargs)
    return file.getvalue().splitlines()


def test_a_warning_is_one_line_and_is_not_repeated():
    (line,) = lines_of(PLAIN, WON, WON, WON)
    assert line.startswith("warning: epoch 2: D is right on 100.0% of real")


def test_it_comes_again_after_it_had_gone_away():
    lines = lines_of(WON, WON, PLAIN, PLAIN, WON, WON)
    assert [line.split(": ")[1] for line in lines] == ["epoch 1", "epoch 5"]


def test_two_warnings_stand_by_themselves():
    lines = lines_of(WON, WON | COLLAPSED, PLAIN | COLLAPSED, WON | COLLAPSED)
    assert [(line.split(": ")[1], "collapsed" in line) for line in lines] == [
        ("epoch 1", False),
        ("epoch 2", True),
        ("epoch 4", False),
    ]


def test_what_is_measured_now_and_then_holds_until_it_is_measured_again():
    few, many = {"classes": 10, "classes_covered": 2}, {"classes": 10, "classes_covered": 9}
    lines = lines_of(few, PLAIN, few, PLAIN, many, PLAIN, few)
    assert [line.split(": ")[1] for line in lines] == ["epoch 1", "epoch 7"]


def test_the_first_steps_are_not_judged():
    file = io.StringIO()
    callback = kg.callbacks.Health(file=file, first_step=300)
    epochs_of(callback, WON, WON, WON, WON, steps=100)
    (line,) = file.getvalue().splitlines()
    assert line.startswith("warning: epoch 3: ")


def test_nothing_is_said_of_a_healthy_epoch(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    file = io.StringIO()
    epochs_of(kg.callbacks.Health(writer, file, first_step=0), PLAIN, {}, PLAIN)
    writer.close()
    assert file.getvalue() == ""
    assert EventAccumulator(str(tmp_path)).Reload().Tags()["tensors"] == []


def test_tensorboard_gets_the_same_words_at_the_models_step(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    file = io.StringIO()
    callback = kg.callbacks.Health(writer, file, first_step=0)
    epochs_of(callback, PLAIN, WON | COLLAPSED, PLAIN, WON, steps=10)
    writer.close()
    events = EventAccumulator(str(tmp_path), size_guidance={"tensors": 0}).Reload()
    assert events.PluginTagToContent("text").keys() == {"health"}
    texts = events.Tensors("health")
    assert [text.step for text in texts] == [20, 40]
    written = [tf.make_ndarray(text.tensor_proto).item().decode() for text in texts]
    first = [f"warning: {line}" for line in written[0].split("\n\n")]
    assert [*first, f"warning: {written[1]}"] == file.getvalue().splitlines()
    assert len(first) == 2


def test_a_progress_bar_is_not_torn():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    file = Terminal()
    with tqdm(total=10, file=file, ncols=40, miniters=1, mininterval=0) as bar:
        bar.update(3)
        epochs_of(kg.callbacks.Health(file=file, first_step=0), WON)
    # The bar is wiped, the line stands alone, the bar is drawn again.
    pieces = [piece for piece in file.getvalue().replace("\n", "\r").split("\r") if piece.strip()]
    (place,) = [i for i, piece in enumerate(pieces) if piece.startswith("warning: epoch 1: ")]
    assert "|" not in pieces[place]
    assert "3/10" in pieces[place - 1]
    assert "3/10" in pieces[place + 1]


@pytest.mark.slow
def test_a_generator_of_one_image_is_found_by_fit(capsys):
    model = TOY.compiled()
    *_, last = (layer for layer in model.generator.layers if layer.weights)
    last.kernel.assign(0 * last.kernel)
    last.trainable = False
    images = TOY.data(24)[0]
    watch = kg.callbacks.Health(first_step=0)
    keep = {"epochs": 2, "verbose": 0, "batch_size": 24}
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    model.fit(images, callbacks=[watch], **keep)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: epoch 1: samples differ from one another by 0.000 a pixel")


# Thresholds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("d_won", {"real_accuracy": 0.996, "fake_accuracy": 0.996}, {"real_accuracy": 0.994}),
        ("d_won", {"real_accuracy": 1.0, "fake_accuracy": 1.0}, {"fake_accuracy": 0.994}),
        ("d_lost", {"pair_accuracy": 0.399}, {"pair_accuracy": 0.401}),
        ("collapsed", {"fake_diversity": 0.099}, {"fake_diversity": 0.101}),
        ("collapsed", {"fake_diversity": 0.0}, {"real_diversity": 0.0}),
        ("missing_classes", {"classes_covered": 4}, {"classes_covered": 5}),
        ("missing_classes", {"classes_covered": 0}, {"classes_covered": np.float32(10)}),
    ],
)
def test_each_threshold_from_both_sides(name, bad, good):
    assert health.health_warnings(HEALTHY) == {}
    found = health.health_warnings(HEALTHY | bad)
    assert set(found) == {name}
    assert "\n" not in found[name]
    assert health.health_warnings(HEALTHY | bad | good) == {}


def test_the_warnings_name_the_numbers_and_a_cure():
    bad = HEALTHY | {"real_accuracy": 0.999, "fake_accuracy": 1.0, "fake_diversity": 0.0123}
    found = health.health_warnings(bad | {"classes_covered": 3, "pair_accuracy": 0.26})
    assert set(found) == {"d_won", "d_lost", "collapsed", "missing_classes"}
    assert "26.0% of pairs" in found["d_lost"]
    assert "raise discriminator_rate" in found["d_lost"]
    assert "99.9% of real and 100.0% of fake" in found["d_won"]
    assert "discriminator_learning_rate" in found["d_won"]
    assert "0.012 a pixel, real images by 0.400" in found["collapsed"]
    assert "3 of 10 classes" in found["missing_classes"]


@pytest.mark.parametrize(("covered", "classes"), [("classes_covered_10k_classifier", "classes")])
def test_class_coverage_may_carry_its_protocol(covered, classes):
    assert set(health.health_warnings({covered: 2.0, classes: 10})) == {"missing_classes"}
    assert health.health_warnings({covered: 2.0}) == {}
    assert health.health_warnings({classes: 10}) == {}


def test_what_is_missing_or_not_finite_is_not_judged():
    assert health.health_warnings({}) == {}
    assert health.health_warnings({"d_loss": 0.0, "g_loss": 9.0}) == {}
    assert health.health_warnings({"fake_diversity": 0.0}) == {}
    bad = {"real_accuracy": 1.0, "fake_accuracy": 1.0, "fake_diversity": 0.0, "classes_covered": 0}
    for one, other in (
        ("real_accuracy", "fake_accuracy"),
        ("real_diversity", "fake_diversity"),
        ("classes_covered", "classes"),
    ):
        rest = {key: value for key, value in bad.items() if key in (one, other)}
        for key in (one, other):
            assert health.health_warnings(HEALTHY | rest | {key: float("nan")}) == {}
