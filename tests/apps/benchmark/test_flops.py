"""apps.benchmark.flops: what is counted is what the formulas of each layer's passes give."""

import keras
import pytest
import tensorflow as tf
from keras import layers

import keras_gans as kg
from apps.benchmark.flops import mflop_per_image, training_operations
from keras_gans.recipes import RECIPES


def toy():
    latent, image = keras.Input((3,)), keras.Input((4, 4, 1))
    maps = layers.Reshape((2, 2, 5))(layers.Dense(2 * 2 * 5)(latent))
    grown = layers.Conv2DTranspose(1, 4, 2, "same", activation="tanh")(maps)
    shrunk = layers.Flatten()(layers.Conv2D(7, 3, 2, "same")(image))
    model = kg.DCGAN(keras.Model(latent, grown), keras.Model(image, layers.Dense(1)(shrunk)))
    model.compile(keras.optimizers.Adam(), keras.optimizers.Adam())
    return model


@pytest.mark.slow
def test_a_step_by_hand():
    model, batch = toy(), tf.zeros((6, 4, 4, 1))
    mflop = dict.fromkeys(("MatMul", "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"), 0.0)
    for row in training_operations(model, batch):
        if row["kind"] in mflop:
            mflop[row["kind"]] += row["mflop"] / 6
    dense = 3 * 20 * 2  # G: forward and weights
    logit = 28 * (3 + 2 + 3)  # D: forward of 3, weights of 2, inputs of 3
    assert mflop["MatMul"] == pytest.approx(2e-6 * (dense + logit))
    grow = 4 * 4 * 1 * 5 * 2 * 2  # one pass: the kernel at 2 x 2 pixels
    shrink = 3 * 3 * 1 * 7 * 2 * 2
    # A transposed convolution is another one's gradient.
    assert mflop["Conv2D"] == pytest.approx(2e-6 * (3 * shrink + grow))
    assert mflop["Conv2DBackpropInput"] == pytest.approx(2e-6 * (shrink + grow))
    assert mflop["Conv2DBackpropFilter"] == pytest.approx(2e-6 * (2 * shrink + grow))


def test_what_tensorflows_registry_gets_wrong():
    kernel = tf.ones((3, 3, 2, 5))

    class Strided:
        def train_step(self, batch):
            with tf.GradientTape() as tape:
                tape.watch(batch)
                loss = tf.reduce_sum(tf.nn.conv2d(batch, kernel, 2, "SAME") ** 2)
            return tape.gradient(loss, batch)

    rows = training_operations(Strided(), tf.ones((1, 7, 7, 2)))
    # 16 places, forward and back, though 7 * 7 / (2 * 2) is 12.25.
    assert mflop_per_image(rows, 1) == pytest.approx(2 * 2e-6 * 16 * 3 * 3 * 2 * 5)

    class Adjoint:
        def train_step(self, batch):
            return tf.matmul(batch, batch, adjoint_a=True)

    (row,) = training_operations(Adjoint(), tf.ones((4, 7, 3)))
    assert row["mflop"] == pytest.approx(2e-6 * 4 * 3 * 7 * 3)


@pytest.mark.slow
def test_dcgan_as_the_paper_of_its_layers_says():
    recipe = RECIPES["dcgan"](batch_size=4, filters=(128, 64))
    source = recipe.load_source()
    batch = next(iter(recipe.batches(source, 0)))
    rows = training_operations(recipe.build(source), batch)
    # G 42.25 and D 105.27.
    assert mflop_per_image(rows, 4) == pytest.approx(147.518, abs=1e-2)


def test_depthwise_convolutions_have_a_kernel_a_map():
    kernel = tf.Variable(tf.ones((4, 4, 3, 1)))

    class Depthwise:
        def train_step(self, batch):
            with tf.GradientTape() as tape:
                tape.watch(batch)
                maps = tf.nn.depthwise_conv2d(batch, kernel, [1, 2, 2, 1], "SAME")
                loss = tf.reduce_sum(maps**2)
            return tape.gradient(loss, [batch, kernel])

    rows = training_operations(Depthwise(), tf.ones((2, 8, 8, 3)))
    # Forward, to the images and to the kernel: 4 x 4 places of 3 maps, 16 products each.
    assert mflop_per_image(rows, 2) == pytest.approx(3 * 2e-6 * 4 * 4 * 3 * 16)


@pytest.mark.parametrize("function", [tf.while_loop, tf.cond])
def test_what_the_graph_does_not_tell_stays_unknown(function):
    matrix = tf.ones((2, 2))

    class Loop:
        def train_step(self, batch):
            if function is tf.cond:
                return tf.cond(batch[0, 0] > 0, lambda: batch @ matrix, lambda: batch)
            return tf.while_loop(lambda x: x[0, 0] < 9, lambda x: [x @ matrix], [batch])

    assert training_operations(Loop(), matrix) is None
    assert mflop_per_image(None, 2) is None


def test_unknown_sizes_stay_unknown():
    class Varying:
        def train_step(self, batch):
            rows = tf.boolean_mask(batch, batch[:, 0] > 0)
            return rows @ batch

    assert training_operations(Varying(), tf.ones((2, 2))) is None
