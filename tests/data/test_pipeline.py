"""The order of the batches, what they hold, and entering at any step."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data import batches, in_order, steps_per_epoch
from keras_gans.data.arrays import ArraySplit
from keras_gans.distribution import Shard
from keras_gans.errors import InputError


def numbered(size, side=1):
    """A split whose labels are the indices."""
    images = np.arange(size * side * side) % 256
    return ArraySplit(images.astype(np.uint8).reshape(size, side, side, 1), np.arange(size))


def order(split, batch_size, seed, steps, start_step=0):
    """Indices in the order they are read, one row per step."""
    dataset = batches(split, batch_size, seed, start_step)
    return np.stack([labels for _, labels in itertools.islice(dataset, steps)])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100])
def test_an_epoch_is_a_permutation(size):
    for epoch in order(numbered(size), 1, 5, 3 * size).reshape(3, size):
        assert sorted(epoch) == list(range(size))


def test_epochs_differ_and_none_repeats_an_image():
    epochs = order(numbered(103), 10, 0, 40).reshape(4, 100)
    assert all(len(set(epoch)) == 100 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    left_out = [set(range(103)) - set(epoch) for epoch in epochs]
    assert len({frozenset(rest) for rest in left_out}) > 1  # no image is always left out


@pytest.mark.parametrize("start", [0, 17])
def test_workers_share_each_batch(start):
    """Two workers with two replicas each: together they read what one would, nothing twice."""
    split = numbered(103)
    whole = order(split, 20, 3, 7, start_step=start)
    parts = []
    for first in (0, 2):
        dataset = batches(split, 20, 3, start, shard=Shard(first, 2, 4))
        rows = np.stack([labels for _, labels in itertools.islice(dataset, 2 * 7)])
        parts.append(rows.reshape(7, 10))
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_a_batch_must_split_evenly():
    with pytest.raises(InputError, match="a multiple of the 3 replicas"):
        batches(numbered(103), 20, 0, shard=Shard(0, 1, 3))


@pytest.mark.slow
def test_seeds_differ():
    split = numbered(100)
    first = order(split, 10, 0, 10)
    assert (order(split, 10, 0, 10) == first).all()
    for other in (1, 256, 2**32, 2**40, 2**63 - 1):
        assert (order(split, 10, other, 10) != first).any()


@pytest.mark.slow
def test_no_early_repeat_of_an_epoch():
    # The shuffle itself ignores all but the low 8 bits of each number in its seed.
    split = numbered(100)
    first = order(split, 10, 0, 10)
    for epochs in (1, 256, 65_536, 2**32):
        late = order(split, 10, 0, 10, start_step=10 * epochs)
        assert (late != first).any()


@pytest.mark.slow
def test_resumed_equals_uninterrupted():
    split = numbered(103)
    whole = order(split, 10, 7, 37)
    for start in (0, 1, 9, 10, 11, 25):
        resumed = order(split, 10, 7, 12, start_step=start)
        np.testing.assert_array_equal(resumed, whole[start:][:12])
    late = order(split, 10, 7, 12, start_step=10_000)
    assert len(set(late[:10].ravel())) == 100  # 10,000 begins an epoch


def test_resuming_late_is_immediate():
    order(numbered(100), 10, 0, 1, start_step=10**15)


@pytest.mark.parametrize("size", [10_000, 60_000])
def test_neighbours_are_independent(size):
    # TensorFlow's own default of 4 rounds gives 0.09 at 60,000
    first = order(numbered(size), 500, 3, size // 500).ravel()
    second = order(numbered(size), 500, 3, size // 500, start_step=size // 500).ravel()
    bound = 5 / np.sqrt(size)
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < bound
    assert abs(np.corrcoef(first, np.arange(size))[0, 1]) < bound
    assert abs(np.corrcoef(first, second)[0, 1]) < bound


def test_pixels_run_from_minus_one_to_one():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    (batch,) = in_order(ArraySplit(images), 1)
    assert batch.dtype == tf.float32
    expected = np.linspace(-1, 1, 256).reshape(1, 16, 16, 1)
    np.testing.assert_allclose(batch, expected, atol=1e-6)
    assert (batch.numpy().min(), batch.numpy().max()) == (-1, 1)


def test_image_and_label_stay_together():
    split = numbered(200)
    for images, labels in itertools.islice(batches(split, 30, 0), 10):
        np.testing.assert_allclose(images.numpy().ravel() * 127.5 + 127.5, labels, atol=1e-4)


def test_element_forms():
    labelled = batches(numbered(9, side=4), 3, 0)
    assert labelled.element_spec == (
        tf.TensorSpec((3, 4, 4, 1), tf.float32),
        tf.TensorSpec((3,), tf.int32),
    )
    assert labelled.cardinality() == tf.data.INFINITE_CARDINALITY
    unlabelled = batches(ArraySplit(np.zeros((9, 4, 4, 3), np.uint8)), 3, 0)
    assert unlabelled.element_spec == tf.TensorSpec((3, 4, 4, 3), tf.float32)


def test_in_order_reads_every_image_once():
    dataset = in_order(numbered(10), 4)
    assert dataset.cardinality() == 3
    assert [labels.numpy().tolist() for _, labels in dataset] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]


def test_steps_per_epoch():
    assert steps_per_epoch(numbered(103), 10) == 10
    assert steps_per_epoch(numbered(10), 10) == 1


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, True, None])
def test_batch_size_must_be_positive(batch_size):
    expected = f"batch_size must be a positive integer. Received: batch_size={batch_size}"
    for use in (
        lambda: steps_per_epoch(numbered(5), batch_size),
        lambda: batches(numbered(5), batch_size, 0),
        lambda: in_order(numbered(5), batch_size),
    ):
        with pytest.raises(InputError) as caught:
            use()
        assert str(caught.value) == expected


def test_batch_size_beyond_the_split():
    with pytest.raises(InputError, match=r"number of images, 5\. Received: batch_size=6"):
        batches(numbered(5), 6, 0)


def test_the_pipeline_has_no_tuner_whose_sleep_could_be_waited_for():
    for dataset in (batches(numbered(8), 4, seed=0), in_order(numbered(8), 4)):
        assert dataset.options().autotune.enabled is False


def unbalanced():
    """Classes of 90, 9 and 1 images, in no order; images are numbered from 0."""
    labels = np.random.default_rng(0).permutation([0] * 90 + [1] * 9 + [2])
    return ArraySplit(np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1), labels)


def test_balanced_batches_hold_each_class_equally_often():
    split = unbalanced()
    seen = []
    stream = itertools.islice(batches(split, 10, 0, balanced=True), 200)
    for images, labels in stream:
        counts = np.bincount(labels, minlength=3)
        assert counts.max() - counts.min() <= 1
        indices = np.rint((images.numpy().ravel() + 1) * 127.5).astype(int)
        np.testing.assert_array_equal(split.labels[indices], labels)
        seen += indices.tolist()
    assert len(set(seen)) == 100  # every image is drawn
    halves = np.bincount(np.concatenate([split.labels[seen][::2]]), minlength=3) / 1000
    np.testing.assert_allclose(halves, 1 / 3, atol=0.05)  # also for each of two players


def test_balanced_batches_go_on_at_any_step_and_split_over_workers():
    split = unbalanced()

    def rows(start, shard=None, count=4):
        options = {} if shard is None else {"shard": shard}
        stream = batches(split, 12, 3, start, balanced=True, **options)
        return [images.numpy().ravel() for images, _ in itertools.islice(stream, count)]

    whole = rows(0, count=8)
    np.testing.assert_array_equal(np.stack(rows(4)), np.stack(whole[4:]))
    first, second = (rows(0, Shard(n, 1, 2), count=8) for n in (0, 1))
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), np.stack(whole))


def test_balanced_batches_need_labels():
    split = ArraySplit(np.zeros((10, 1, 1, 1), np.uint8))
    with pytest.raises(InputError, match="balanced batches need labels"):
        batches(split, 5, 0, balanced=True)
