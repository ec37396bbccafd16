"""The pool of earlier images that discriminators are shown."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.models.base import GenerativeModel
from keras_gans.models.image_pool import ImagePool
from keras_gans.noise import step_key

SHAPE = (2, 1, 1)


def pool_of(size, seed=0):
    owner = GenerativeModel(seed=seed)
    return owner, ImagePool(owner, size, SHAPE, "pool")


def numbered(numbers):
    """Images that show their number."""
    return tf.reshape(tf.repeat(tf.cast(numbers, tf.float32), 2), (-1, *SHAPE))


def numbers_of(images):
    assert images.shape[1:] == SHAPE
    rows = images.numpy().reshape(-1, 2)
    np.testing.assert_array_equal(rows[:, 0], rows[:, 1])
    return rows[:, 0].astype(int).tolist()


def given(pool, batches):
    """What the pool returns for batches of numbers, one a step, as lists."""
    owner, history = pool
    exchanged = tf.function(history.exchange)
    returned = []
    for batch in batches:
        returned.append(numbers_of(exchanged(numbered(batch))))
        owner.step.assign_add(1)
    return returned


def one_after_the_other(batches, size, seed=0):
    """The rule, spelled out."""
    kept, returned = [], []
    for step, batch in enumerate(batches):
        draws = (
            tf.random.stateless_uniform(
                [len(batch)], step_key(seed, f"pool {what}", step), alg="philox", **kwargs
            ).numpy()
            for what, kwargs in (
                ("slot", {"minval": 0, "maxval": size, "dtype": tf.int32}),
                ("swap", {}),
            )
        )
        returned.append([])
        for number, slot, chance in zip(batch, *draws, strict=True):
            if len(kept) < size:
                kept.append(number)
                returned[-1].append(number)
            elif chance < 0.5:
                returned[-1].append(kept[slot])
                kept[slot] = number
            else:
                returned[-1].append(number)
    return returned, kept


def in_batches(count, size):
    return np.arange(1, count * size + 1).reshape(count, size).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 5, 8, 23])
def test_images_are_exchanged_one_after_the_other(batch):
    pool, batches = pool_of(5, seed=3), in_batches(12, batch)
    returned, kept = one_after_the_other(batches, 5, seed=3)
    assert given(pool, batches) == returned
    assert numbers_of(tf.convert_to_tensor(pool[1].images)) == kept
    assert int(pool[1].count) == 5


def test_while_there_is_room_all_are_stored_and_returned():
    pool = pool_of(10)
    assert given(pool, [[1, 2, 3], [4, 5, 6]]) == [[1, 2, 3], [4, 5, 6]]
    assert numbers_of(tf.convert_to_tensor(pool[1].images)) == [1, 2, 3, 4, 5, 6, 0, 0, 0, 0]
    assert int(pool[1].count) == 6


@pytest.fixture(scope="module")
def long_run():
    """125 batches of 32 images, what a pool of 10 returned for them, and what it holds then."""
    pool, batches = pool_of(10), in_batches(125, 32)
    returned = given(pool, batches)
    return np.array(batches), np.array(returned), numbers_of(tf.convert_to_tensor(pool[1].images))


@pytest.mark.slow
def test_a_full_pool_returns_old_images_half_of_the_time_and_loses_none(long_run):
    batches, returned, kept = long_run
    assert np.mean(returned[2:] == batches[2:]) == pytest.approx(0.5, abs=0.03)
    # Every image leaves once; those that filled the pool were returned on the way in too.
    left = Counter([*returned.ravel().tolist(), *kept])
    assert left == Counter([*range(1, 4001), *range(1, 11)])


@pytest.mark.slow
def test_an_image_stays_for_twice_the_size_of_the_pool(long_run):
    # Each new image drives it out with probability 1 / 20: a geometric distribution of mean 20.
    batches, returned, _ = long_run
    ages = (batches - returned)[returned != batches]
    assert ages.mean() == pytest.approx(20.0, rel=0.08)
    assert np.mean(ages > 20) == pytest.approx((1 - 1 / 20) ** 20, rel=0.1)


@pytest.mark.slow
def test_the_seed_and_the_step_decide():
    batches = in_batches(6, 8)
    same, other = given(pool_of(5, seed=1), batches), given(pool_of(5, seed=2), batches)
    assert given(pool_of(5, seed=1), batches) == same != other
    owner, history = pool_of(5, seed=1)
    owner.step.assign(7)
    assert given((owner, history), batches) != same


@pytest.mark.slow
def test_two_replicas_share_one_pool(two_replicas):
    batches = in_batches(6, 8)
    alone = pool_of(5)
    expected = given(alone, batches)
    with two_replicas.scope():
        owner, history = pool_of(5)

    @tf.function
    def exchanged(images):
        return two_replicas.run(history.exchange, args=(images,))

    for batch, wanted in zip(batches, expected, strict=True):
        halves = two_replicas.experimental_distribute_values_from_function(
            lambda context, batch=batch: numbered(batch)[4 * context.replica_id_in_sync_group :][:4]
        )
        parts = two_replicas.experimental_local_results(exchanged(halves))
        assert [n for part in parts for n in numbers_of(part)] == wanted
        owner.step.assign_add(1)
    for copy in two_replicas.experimental_local_results(history.images.value):
        np.testing.assert_array_equal(copy, alone[1].images)
