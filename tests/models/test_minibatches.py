"""One batch dealt out to several updates."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.models.minibatches import mean_over_parts, minibatches


def test_part_t_has_every_so_manieth_row_from_t_on():
    images = tf.reshape(tf.range(6 * 4), (6, 2, 2))
    labels = tf.range(6)
    first, second, third = minibatches((images, labels), 3)
    for turn, (part_images, part_labels) in enumerate((first, second, third)):
        assert part_labels.numpy().tolist() == [turn, turn + 3]
        np.testing.assert_array_equal(part_images, images.numpy()[turn::3])


def test_a_single_part_is_the_batch():
    (part,) = minibatches(tf.range(5), 1)
    assert part.numpy().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, True])
def test_uneven_parts_differ_by_one_row(compiled):
    def deal(rows):
        return minibatches(rows, 5, "n_critic", even=False)

    signature = [tf.TensorSpec([None], tf.int32)]
    deal = tf.function(deal, input_signature=signature) if compiled else deal
    parts = [part.numpy().tolist() for part in deal(tf.range(7))]
    assert parts == [[0, 5], [1, 6], [2], [3], [4]]
    assert [len(part) for part in deal(tf.range(5))] == [1] * 5


def test_two_halves_dealt_out_form_the_minibatches_of_the_whole():
    rows = tf.range(12)
    halves = zip(minibatches(rows[:6], 3), minibatches(rows[6:], 3), strict=True)
    both = [tf.concat(parts, 0).numpy().tolist() for parts in halves]
    assert both == [part.numpy().tolist() for part in minibatches(rows, 3)]


REFUSED = [
    (7, True, "a multiple of discriminator_steps=4"),
    (3, False, "at least discriminator_steps=4"),
]


@pytest.mark.parametrize(("size", "even", "wanted"), REFUSED)
def test_what_cannot_be_split_is_refused(size, even, wanted):
    with pytest.raises(ValueError, match=f"must be {wanted}. Received: batch size {size}"):
        minibatches(tf.zeros((size, 2)), 4, even=even)


@pytest.mark.parametrize(("size", "even", "wanted"), REFUSED)
def test_what_turns_out_not_to_split_is_refused_when_the_step_runs(size, even, wanted):
    step = tf.function(
        lambda rows: minibatches(rows, 4, even=even),
        input_signature=[tf.TensorSpec([None, 2])],
    )
    assert len(step(tf.zeros((8, 2)))) == 4
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"must be {wanted}"):
        step(tf.zeros((size, 2)))


@pytest.mark.parametrize("parts", [0, -1, 2.0, None])
def test_the_number_of_parts_is_checked_by_its_name(parts):
    with pytest.raises(ValueError, match=r"n_critic must be a positive integer. Received: "):
        minibatches(tf.zeros((8, 2)), parts, "n_critic")


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_means_over_parts_are_those_of_the_whole(parts):
    rows, rest = tf.range(8.0), tf.range(8.0, 16.0)
    numbers = []

    def function(part, number):
        numbers.append(number)
        first, second = part
        slices = tf.IndexedSlices(first[:, None] / len(first), tf.range(len(first)), (8, 1))
        return {"mean": tf.reduce_mean(first * second)}, [None, tf.reduce_mean(second)], slices

    logs, gradients, slices = mean_over_parts(function, (rows, rest), parts)
    assert numbers == list(range(parts))
    assert float(logs["mean"]) == np.mean(np.arange(8) * np.arange(8, 16))
    assert gradients[0] is None
    assert float(gradients[1]) == 11.5
    # Every row once, as Adam takes them.
    np.testing.assert_allclose(slices.values[:, 0], np.arange(8) / 8)


def test_rows_that_parts_do_not_divide_are_refused():
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        mean_over_parts(lambda part, number: tf.reduce_sum(part[0]), [tf.range(7.0)], 2)
