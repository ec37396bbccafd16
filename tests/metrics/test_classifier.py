"""The judge of samples, on data whose classes anybody can tell apart."""

import contextlib
import io
import re
import sys

import numpy as np
import pytest

from keras_gans.data import Source
from keras_gans.data.arrays import ArraySplit
from keras_gans.errors import InputError
from keras_gans.metrics import classifier
from tests.users import as_somebody

CLASSES = 3


def striped(labels, seed):
    """Images whose class is the place of a bright stripe, with noise."""
    images = np.random.default_rng(seed).integers(0, 60, (len(labels), 8, 8, 1))
    for row, label in enumerate(labels):
        images[row, :, 2 * label + 1] += 180
    return images.astype(np.uint8)


def source(test=True, side=8, channels=1):
    def split(labels, seed):
        images = striped(labels, seed).repeat(side // 8, axis=1).repeat(side // 8, axis=2)
        return ArraySplit(images.repeat(channels, axis=3), labels)

    labels = np.arange(300) % CLASSES
    held_out = np.arange(90) % CLASSES
    return Source(
        name="stripes",
        image_shape=(side, side, channels),
        class_names=("0", "1", "2"),
        train=split(labels, 0),
        test=split(held_out, 1) if test else None,
        fingerprint=f"stripes{test}",
    )


@contextlib.contextmanager
def short_fits():
    """Lets a classifier see its images 5 times instead of 30: enough for stripes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "MAX_EPOCHS", 5)
        yield


def terminal_of(monkeypatch):
    """What a terminal shows; not as a fixture, whose `sys.stderr` pytest sets anew for the test."""
    shown = io.StringIO()
    shown.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


@pytest.mark.slow
@pytest.mark.parametrize(("enough", "lengths"), [(0.9, {"1200"}), (1.1, {"1200", "2400"})])
def test_only_what_is_hard_to_tell_apart_is_learnt_for_long(tmp_path, monkeypatch, enough, lengths):
    """2,400 images would be seen: half of them do where so many are read right by then."""
    monkeypatch.setattr(classifier, "TRIED_IMAGES", 1200)
    monkeypatch.setattr(classifier, "MAX_EPOCHS", 8)
    monkeypatch.setattr(classifier, "ENOUGH", enough)
    terminal = terminal_of(monkeypatch)
    judge = classifier.load_or_fit(source(), tmp_path)
    assert set(re.findall(r"fitting:.*?/(\d+) ", terminal.getvalue())) == lengths
    assert judge.accuracy >= 0.9


@pytest.mark.slow
def test_it_is_fitted_once_and_read_again(tmp_path, monkeypatch):
    terminal = terminal_of(monkeypatch)
    classifier.load_or_fit(source(), tmp_path)
    assert re.search(r"fitting: +\d+%\|.*/9000 ", terminal.getvalue())
    (path,) = tmp_path.glob("classifier-stripesTrue.keras")
    written = path.stat().st_mtime_ns
    again = classifier.load_or_fit(source(), tmp_path)
    assert path.stat().st_mtime_ns == written
    assert (again.accuracy, again.held_out) == (1.0, 90)


@pytest.mark.parametrize(("side", "channels", "stages"), [(16, 3, 3), (8, 3, 2), (16, 1, 2)])
def test_colors_get_a_third_stage(side, channels, stages):
    network = classifier._network((side, side, channels), CLASSES)
    assert sum("conv2d" in layer.name for layer in network.layers) == stages
    assert network.get_layer("features").output.shape[1] == classifier.FEATURES
    assert network.output.shape[1] == CLASSES


@pytest.mark.slow
def test_without_a_test_split_a_sixth_is_held_out_of_the_fit(tmp_path):
    data = source(test=False, side=16, channels=3)  # and colours are learnt
    train, test = classifier._parts(data)
    assert (train.size, test.size) == (250, 50)
    assert not set(train.indices) & set(test.indices)
    assert len(np.unique(data.train.labels[test.indices])) == CLASSES
    with short_fits():
        judge = classifier.load_or_fit(data, tmp_path)
    assert (judge.accuracy, judge.held_out) == (1.0, 50)


def test_a_damaged_classifier_is_refused_with_its_name(tmp_path):
    path = tmp_path / "classifier-stripesTrue.keras"
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"classifier-stripesTrue.keras is damaged: delete it"):
        classifier.load_or_fit(source(), tmp_path)


def test_a_classifier_that_its_owner_keeps_to_himself_is_not_called_damaged():
    with as_somebody() as place:
        path = place / "classifier-stripesTrue.keras"
        path.touch(0o000)
        with pytest.raises(InputError, match=r"True.keras cannot be read \(Permission denied\)"):
            classifier.load_or_fit(source(), place)
