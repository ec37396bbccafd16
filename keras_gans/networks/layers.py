"""Layers beside Keras's own: reflection padding, instance and fused batch normalization."""

import contextlib
import contextvars

import keras
import tensorflow as tf

from keras_gans import distribution


@keras.saving.register_keras_serializable("keras_gans")
class ReflectionPadding2D(keras.layers.Layer):
    """Continues maps `[n, h, w, c]` by their mirror image, the edge itself not repeated.

    Zeros, as "same" convolutions add, would show as a frame in what a network draws. `padding`
    counts pixels on each side, less than the height and width of the maps.
    """

    def __init__(self, padding, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, inputs):
        sides = [self.padding, self.padding]
        return tf.pad(inputs, [[0, 0], sides, sides, [0, 0]], "REFLECT")

    def compute_output_shape(self, input_shape):
        count, *sides, channels = input_shape
        grown = (side if side is None else side + 2 * self.padding for side in sides)
        return (count, *grown, channels)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


@keras.saving.register_keras_serializable("keras_gans")
class InstanceNormalization(keras.layers.GroupNormalization):
    """Normalizes each map of each image to mean 0 and variance 1; then a learned scale and offset.

    Ulyanov 2016 (arXiv 1607.08022). An image's output depends on that image alone, in training
    too. Computed in float32 whatever the policy: half precision overflows in the sums. A map of
    one value, or of equal ones, becomes its offset. Arguments are Keras's GroupNormalization's.
    Mean and variance of a larger picture can take the place of the map's: `instance_statistics`.
    """

    def __init__(self, groups=-1, epsilon=1e-5, **kwargs):
        super().__init__(groups=groups, epsilon=epsilon, **kwargs)

    def call(self, inputs):
        statistics = _STATISTICS.get()
        if statistics is None:
            return super().call(inputs)
        maps = tf.cast(inputs, tf.float32)
        mean, variance = statistics(maps)
        factor = tf.math.rsqrt(variance + self.epsilon)
        factor = factor * tf.cast(self.gamma, tf.float32) if self.scale else factor
        maps = (maps - mean) * factor
        maps = maps + tf.cast(self.beta, tf.float32) if self.center else maps
        return tf.cast(maps, self.compute_dtype)


_STATISTICS = contextvars.ContextVar("instance_statistics", default=None)


@contextlib.contextmanager
def instance_statistics(function):
    """Within it every `InstanceNormalization` takes its statistics from `function`.

    That maps float32 `[n, h, w, c]`, what the layer is called on, to `(mean, variance)`, each
    `[c]`. A network asks in the order of its layers.
    """
    token = _STATISTICS.set(function)
    try:
        yield
    finally:
        _STATISTICS.reset(token)


@keras.saving.register_keras_serializable("keras_gans")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's BatchNormalization over the last axis, faster, with the same numbers to rounding.

    In training it is TensorFlow's fused operation, one pass each way, on maps that stay in half
    precision, with statistics in float32. Replicas exchange one message each way.
    """

    def add_weight(self, *args, trainable=True, **kwargs):
        if not trainable:  # what is followed is the same on every replica
            kwargs["aggregation"] = "only_first_replica"
        return super().add_weight(*args, trainable=trainable, **kwargs)

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        maps = tf.reshape(inputs, [tf.shape(inputs)[0], -1, 1, inputs.shape[-1]])
        affine = (tf.convert_to_tensor(v, tf.float32) for v in (self.gamma, self.beta))
        if self.synchronized and replicas > 1:
            outputs, mean, variance = self._by_all_replicas(maps, *affine)
        else:
            outputs, mean, variance = self._fused(maps, *affine)
            if replicas > 1:
                mean, variance = distribution.mean_over_replicas(mean, variance)
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        return tf.ensure_shape(tf.reshape(outputs, tf.shape(inputs)), inputs.shape)

    def _fused(self, maps, scale, offset):
        """Outputs, mean and variance of one replica's maps, in one pass."""
        fused = tf.compat.v1.nn.fused_batch_norm
        outputs, mean, variance = fused(maps, scale, offset, epsilon=self.epsilon)
        # Estimated from a sample there, over which Keras takes the variance itself.
        count = _count(maps)
        return outputs, mean, variance * (count - 1.0) / count

    def _by_all_replicas(self, maps, scale, offset):
        """As `_fused`, over what all replicas have together.

        Keras's own (`synchronized=True`) sends four messages each way where this sends one, and
        took 18.7 ms where this took 12.1, forward and backward of [32, 14, 14, 64] a replica on two
        workers. The derivative is written out: the automatic one makes several passes more.
        """

        @tf.custom_gradient
        def normalized(maps, scale, offset):
            _, mean, variance = self._fused(maps, scale, offset)
            mean, square = distribution.mean_over_replicas(mean, variance + tf.square(mean))
            variance = square - tf.square(mean)
            fixed = {"epsilon": self.epsilon, "is_training": False}
            outputs, *_, reserve = tf.raw_ops.FusedBatchNormV3(
                x=maps, scale=scale, offset=offset, mean=mean, variance=variance, **fixed
            )

            def gradient(upstream, *_):
                direct, d_scale, d_offset, *_ = tf.raw_ops.FusedBatchNormGradV3(
                    y_backprop=upstream,
                    x=maps,
                    scale=scale,
                    reserve_space_1=mean,
                    reserve_space_2=variance,
                    reserve_space_3=reserve,
                    **fixed,
                )
                # What goes through mean and variance: the mean slopes of the whole batch.
                by_scale, by_offset = distribution.mean_over_replicas(d_scale, d_offset)
                deviation = tf.math.rsqrt(variance + self.epsilon)
                slope = by_scale * deviation
                along = tf.cast(maps, tf.float32) * slope + (by_offset - slope * mean)
                through = along * (scale * deviation / _count(maps))
                return direct - tf.cast(through, maps.dtype), d_scale, d_offset

            return (outputs, mean, variance), gradient

        return normalized(maps, scale, offset)


def _count(maps):
    """Values of a channel of `[n, h, w, c]`, a float32 scalar."""
    return tf.cast(tf.size(maps) // maps.shape[-1], tf.float32)


def leaky_relu(x):
    """LeakyReLU of slope 0.2.

    Not the layer: TensorFlow's rewriting of graphs stumbles over its gradient behind a bias, in
    some of the steps here, and says so on stderr.
    """
    return keras.ops.maximum(x, 0.2 * x)


@keras.saving.register_keras_serializable("keras_gans")
class SpatialBasis(keras.layers.Layer):
    """Learned maps, each times a number: `[n, c]` to `[n, height, width, c]`.

    The maps begin as N(0, 1): R3GAN's start of a generator (arXiv 2501.05441).
    """

    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def build(self, input_shape):
        shape = (self.height, self.width, input_shape[-1])
        self.basis = self.add_weight(shape=shape, initializer=keras.initializers.RandomNormal(0, 1))

    def call(self, inputs):
        return inputs[:, None, None] * keras.ops.cast(self.basis, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.height, self.width, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}


@keras.saving.register_keras_serializable("keras_gans")
class BlurredResize(keras.layers.Layer):
    """Doubles or halves the sides of maps `[n, h, w, c]` by the filter (1, 3, 3, 1).

    Huang et al. 2025, R3GAN (arXiv 2501.05441). Halved, odd sides are rounded up.

    Args:
        sides: None halves; else `(height, width)` to grow to, twice those of the maps or one less.
    """

    def __init__(self, sides=None, **kwargs):
        super().__init__(**kwargs)
        self.sides = None if sides is None else tuple(sides)

    def call(self, inputs):
        line = tf.constant([1.0, 3.0, 3.0, 1.0])
        square = (line[:, None] * line / 64.0)[:, :, None, None]
        kernel = tf.cast(tf.tile(square, [1, 1, inputs.shape[-1], 1]), inputs.dtype)
        if self.sides is None:
            return tf.nn.depthwise_conv2d(inputs, kernel, [1, 2, 2, 1], "SAME")
        grown = tf.stack([tf.shape(inputs)[0], *self.sides, inputs.shape[-1]])
        # The transposed convolution: zeros between the pixels, filtered, with the same brightness.
        return tf.nn.depthwise_conv2d_backprop_input(
            grown, 4.0 * kernel, inputs, [1, 2, 2, 1], "SAME"
        )

    def compute_output_shape(self, input_shape):
        count, *sides, channels = input_shape
        if self.sides is not None:
            return (count, *self.sides, channels)
        return (count, *(-(-side // 2) for side in sides), channels)

    def get_config(self):
        return {**super().get_config(), "sides": self.sides}
