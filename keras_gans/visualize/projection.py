"""Finds the latents whose images are nearest to given pictures."""

import keras
import numpy as np
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.metrics.random_features import random_networks
from keras_gans.serving import sampling

STARTS = 200  # latents that are tried; the best ones go down the gradient
KEPT = 8
STEPS, RATE = 300, 0.05
PRIOR_WEIGHT = 1e-3  # of the latent's mean square: without it latents leave what G was trained on


def nearest_latent(endpoints, picture, label=None, steps=STEPS, seed=0):
    """Finds the latent whose image is nearest to a picture, by gradient descent from many starts.

    Near is what has little mean squared error of pixels in [-1, 1] and of the 64 features of
    `metrics.random_features`, relative to those of the picture.

    Args:
        endpoints: `serving.Endpoints` of a model that makes images from latents.
        picture: `float32 [h, w, c]` in [-1, 1], of the model's shape.
        label: Class index; None: of a model with classes whichever is nearest.
        steps: Of the descent.
        seed: First of the seeds whose latents are the starts.

    Returns:
        `(latent float32 [latent_dim], label or None, image float32 [h, w, c])`.

    Raises:
        InputError: For a model without latents, or a picture of another shape.
    """
    decode = sampling.latent_decoder(endpoints)
    takes_label = "label" in endpoints.specs("serving_default")
    seeds = np.arange(seed, seed + STARTS)
    labels = None
    if names := endpoints.class_names:
        classes = range(len(names)) if label is None else [label]
        labels = np.resize(classes, STARTS).astype(np.int32)
    latents = sampling.latents_of_seeds(endpoints, seeds, labels)
    features, _ = random_networks(picture.shape)
    target = tf.constant(picture[None])
    wanted = features(target)
    size = tf.reduce_mean(wanted**2)

    def distances(latents, labels):
        # Of a prior of classes, only the draws have a label.
        given = {"label": labels} if takes_label else {}
        images = decode(latent=latents, **given)["image"]
        if images.shape[1:] != target.shape[1:]:
            raise InputError(
                f"the model makes images of shape {list(images.shape[1:])}. Received: a picture of "
                f"{list(picture.shape)}"
            )
        pixels = tf.reduce_mean((images - target) ** 2, axis=(1, 2, 3))
        return pixels + tf.reduce_mean((features(images) - wanted) ** 2, axis=1) / size, images

    def rows(indices, values):
        return None if values is None else tf.constant(values[indices])

    # In batches that small memory takes.
    parts = np.split(np.arange(STARTS), range(sampling.BATCH_SIZE, STARTS, sampling.BATCH_SIZE))
    found = [distances(rows(part, latents), rows(part, labels))[0] for part in parts]
    best = np.argsort(np.concatenate(found))[:KEPT]
    latent, labels = keras.Variable(latents[best]), rows(best, labels)
    optimizer = keras.optimizers.Adam(RATE)
    optimizer.build([latent])

    @tf.function(autograph=False)
    def descend():
        with tf.GradientTape() as tape:
            each, _ = distances(latent.value, labels)
            loss = tf.reduce_sum(each + PRIOR_WEIGHT * tf.reduce_mean(latent.value**2, axis=1))
        optimizer.apply([tape.gradient(loss, latent.value)], [latent])

    for _ in range(steps):
        descend()
    each, images = distances(latent.value, labels)
    winner = int(np.argmin(each))
    chosen = None if labels is None else int(labels[winner])
    return latent[winner].numpy(), chosen, images[winner].numpy()
