"""Mixes two classes of a conditional generator, where its label has become numbers."""

import keras
import tensorflow as tf

from keras_gans import compat
from keras_gans.errors import InputError


def class_mixer(generator):
    """Opens a conditional generator where its label has become numbers, to mix two classes.

    `generator` is a functional network `[latent, label]` to images, whose label goes into
    `keras.layers.Embedding` layers only. The mixer shares its layers and follows its weights.

    Returns:
        A function `(latent float32 [n, d], first int32 [n], second int32 [n], weight float32 [n])`
        to `{"image": float32 [n, h, w, c]}`: the generator run with (1 - weight) e_first + weight
        e_second for every embedding e. At weight 0 it gives the image of `first`, at 1 of `second`.

    Raises:
        InputError: If the label goes anywhere else, a nested model included.
    """
    _embedding_calls(generator)  # refuses
    # The same layers called anew: Keras would move the generator's own inputs into the new
    # network, and could not save the generator after that.
    twin = keras.models.clone_model(generator, clone_function=lambda layer: layer)
    latent, label = twin.inputs
    calls = _embedding_calls(twin)
    network = keras.Model([latent, *(call.outputs[0] for call in calls)], twin.output)

    def mix(call, first, second, weight):
        a, b = (
            tf.cast(call.operation(tf.reshape(classes, [-1, *label.shape[1:]])), tf.float32)
            for classes in (first, second)
        )
        weight = tf.reshape(weight, [-1] + [1] * (len(a.shape) - 1))
        return tf.cast((1.0 - weight) * a + weight * b, call.outputs[0].dtype)

    @tf.function(autograph=False)
    def images_between(latent, first, second, weight):
        embeddings = [mix(call, first, second, weight) for call in calls]
        return {"image": network([latent, *embeddings], training=False)}

    return images_between


def _embedding_calls(generator):
    """The calls that take the generator's label, checked to be of Embedding layers only."""
    label = generator.inputs[1] if len(getattr(generator, "inputs", None) or ()) == 2 else None
    calls = compat.functional_calls(generator)
    takers = [call for call in calls if any(tensor is label for tensor in call.input_tensors)]
    wrong = [t.operation for t in takers if not isinstance(t.operation, keras.layers.Embedding)]
    if wrong or not takers:
        places = ", ".join(f"{type(each).__name__} {each.name}" for each in wrong) or "none"
        raise InputError(
            "a walk from class to class needs a functional generator whose second input, the "
            "label, goes straight into keras.layers.Embedding and into nothing else, nested "
            f"models included. Received: {generator.name}, whose label goes into {places}"
        )
    return takers
