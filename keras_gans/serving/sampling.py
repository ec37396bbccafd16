"""Runs a model or an export: images and latents of seeds, codes and translations of images."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from keras_gans import noise
from keras_gans.data.memory import available_memory
from keras_gans.data.pixels import to_float, to_uint8
from keras_gans.errors import InputError, RunError
from keras_gans.networks.locality import find_locality
from keras_gans.networks.resnet import DIVISOR, SMALLEST_SIDE
from keras_gans.serving import tiles
from keras_gans.serving.encoded_images import encode_png
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.export import cause
from keras_gans.serving.latents import truncated

BATCH_SIZE = 100
SMALL_PICTURE = 2**18  # pixels: a third of a gibibyte in the largest networks
FIRST_SEED = 2**30  # far from those of grids, walks and scored samples


@dataclass(frozen=True)
class Sampler:
    """Makes images of seeds by a `generate` signature, in batches of one fixed size.

    A seed (and its label) always gives the same image, whatever other seeds it comes with.
    """

    function: Callable  # (seed=int32 [n], label=int32 [n]) -> {"image": ..., "image_bytes": ...}
    class_names: tuple[str, ...] | None  # None: it takes no label

    def batches(self, seeds, labels=None):
        """Yields `{"image": float32 [b, h, w, c] in [-1, 1], "image_bytes": bytes [b]}`, b <= 100.

        Args:
            seeds: Integers `[n]` of the int32 range.
            labels: Class indices `[n]`, if and only if the model takes them.
        """
        inputs = _seed_inputs(seeds, labels)
        count = len(inputs["seed"])
        for start in range(0, count, BATCH_SIZE):
            # A last batch of another size would be another computation, rounded differently.
            rows = np.arange(start, start + BATCH_SIZE).clip(max=count - 1)
            outputs = self.function(**{k: tf.constant(v[rows]) for k, v in inputs.items()})
            yield {key: value.numpy()[: count - start] for key, value in outputs.items()}

    def images(self, seeds, labels=None):
        """Returns the images of all seeds at once, `float32 [n, h, w, c]` in [-1, 1]."""
        return np.concatenate([batch["image"] for batch in self.batches(seeds, labels)])

    @classmethod
    def from_endpoints(cls, endpoints, truncation=None):
        """Takes `generate` of a model's endpoints; raises InputError if they have none.

        With a `truncation` its latents are those of `latents.truncated`.
        """
        if truncation is None:
            return cls(endpoints["generate"], endpoints.class_names)
        decode = latent_decoder(endpoints)

        def generate(seed, **label):
            latent = latents_of_seeds(endpoints, seed.numpy(), None, truncation)
            images = decode(latent=tf.constant(latent), **label)["image"]
            return {"image": images, "image_bytes": encode_png(images)}

        return cls(generate, endpoints.class_names)

    @classmethod
    def from_model(cls, model):
        """Takes that of a model in memory; it follows the model's weights."""
        return cls.from_endpoints(Endpoints.from_model(model))

    @classmethod
    def from_export(cls, directory):
        """Takes that of an export, as `Endpoints.from_export` does."""
        return cls.from_endpoints(Endpoints.from_export(directory))


# Of seeds ---------------------------------------------------------------------------------------


def draw_prior(endpoints, count, labels=None, first_seed=FIRST_SEED):
    """Draws the latents `float32 [count, latent_dim]` that `generate` decodes of seeds in a row.

    A model that takes a label is given class indices in turn: `labels`, by default all.
    """
    if classes := endpoints.class_names:
        labels = np.resize(range(len(classes)) if labels is None else labels, count)
    else:
        labels = None
    return latents_of_seeds(endpoints, np.arange(first_seed, first_seed + count), labels)


def latents_of_seeds(endpoints, seeds, labels=None, truncation=None):
    """Draws the latents `float32 [..., latent_dim]` that `generate` makes images of.

    Args:
        endpoints: A `serving.Endpoints`; InputError if it makes no images from latents.
        seeds: Integers `[...]` of the int32 range, of any shape.
        labels: Class indices of the same shape, for a prior that differs between classes.
        truncation: None, or as in `latents.truncated`: InputError then for a model that encodes
            images, whose prior need not be normal.
    """
    latent_decoder(endpoints)  # refuses
    if truncation is not None and can_encode(endpoints):
        raise InputError("truncation is for normal latents, and this model has codes of images")
    width = endpoints.specs("serving_default")["latent"].shape[-1]
    inputs = _seed_inputs(seeds, labels)

    # What makes codes of images has a prior of its own, and `generate` tells its draws.
    generate = endpoints["generate"] if can_encode(endpoints) else None

    # Compiled: normal latents drawn one by one from Python, thousands would take a minute; and of
    # `generate`, what only its images need is left out.
    @tf.function(autograph=False)
    def draw(inputs):
        if generate is not None:
            return generate(**inputs)["latent"]
        return noise.seeded_latents(inputs["seed"], width)

    tensors = {key: tf.constant(each) for key, each in inputs.items()}
    # Asked for its graph, TensorFlow does not warn of tracing one for every call.
    latents = draw.get_concrete_function(tensors)(tensors)
    if truncation is not None:
        latents = truncated(latents, tf.fill([len(latents)], float(truncation)))
    return latents.numpy().reshape(*np.shape(seeds), width)


def _seed_inputs(seeds, labels):
    """What `generate` takes of seeds and, unless None, labels: int32 arrays `[n]` by name."""
    seeds = np.asarray(seeds, np.int32)
    inputs = {"seed": seeds.ravel()}
    if labels is not None:
        inputs["label"] = np.broadcast_to(np.asarray(labels, np.int32), seeds.shape).ravel()
    return inputs


def latent_decoder(endpoints):
    """Returns the `serving_default` of a model that makes images from latents that it draws itself.

    Raises InputError for another model.
    """
    if "latent" not in endpoints.specs("serving_default"):
        raise InputError(
            "a walk from seed to seed needs a model that makes images from latents of its own. "
            f"This one answers {', '.join(sorted(endpoints.functions))}"
            + (": walk between two images instead" if can_encode(endpoints) else "")
        )
    return endpoints["serving_default"]


# Of images --------------------------------------------------------------------------------------


def image_shape(endpoints):
    """Returns `(height, width, channels)` of a model's images, None for sides that are open."""
    for name in ("encode", "translate_x_to_y"):
        if name in endpoints:
            return tuple(endpoints.specs(name)["image"].shape[1:])
    labels = [0] if endpoints.class_names else None
    return Sampler.from_endpoints(endpoints).images([0], labels).shape[1:]


def run_on_batches(endpoints, name, batches):
    """Runs an endpoint as `encode` on batches of images; yields `(images, {output: array})`.

    Args:
        endpoints, name: A `serving.Endpoints`, and which of them.
        batches: Iterable of `float32 [b, h, w, c]` in [-1, 1].

    Raises:
        InputError: For a model without it, or images of another shape.
        RunError: If an output is not finite.
    """
    function, spec = endpoints[name], endpoints.specs(name)["image"]
    for images in batches:
        if not spec.shape.is_compatible_with(images.shape):
            raise InputError(
                f"the model takes images of shape {list(spec.shape[1:])}: name the data it was "
                f"trained on. Received: {list(images.shape[1:])}"
            )
        outputs = function(image=tf.constant(images, tf.float32))
        outputs = {key: value.numpy() for key, value in outputs.items()}
        if not all(np.isfinite(value).all() for value in outputs.values()):
            raise RunError(f"{name} gives values that are not finite: the model's weights are bad")
        yield images, outputs


def can_encode(endpoints):
    """Whether a model makes codes of images and images of codes."""
    return "encode" in endpoints and "decode" in endpoints


def check_can_encode(endpoints):
    """Raises InputError, naming the variants that can, unless images have codes."""
    if not can_encode(endpoints):
        raise InputError(
            "a walk between images needs a model that encodes and decodes them: vae, aae or "
            f"autoencoder. This one answers {', '.join(sorted(endpoints.functions))}"
        )


def encode_images(endpoints, pictures):
    """Encodes pictures `uint8 [n, h, w, c]` into codes `float32 [n, latent_dim]`.

    Raises InputError for a model that makes none, or none that it can decode.
    """
    check_can_encode(endpoints)
    return endpoints["encode"](image=tf.constant(to_float(pictures)))["latent"].numpy()


@dataclass(frozen=True)
class ImageTranslator:
    """Translates one image of any size, `uint8 [h, w, channels]` to `uint8 [h, w, c]`.

    By a plan of `plan(height, width)`, or as a whole.
    """

    function: Callable  # the endpoint, of images whose sides are multiples of 4
    channels: int  # 1 or 3
    network: Callable | None = None  # gives the Keras network behind it, for tiles
    largest: int | None = None  # pixels that the endpoint takes

    def __call__(self, image, plan=None):
        if plan is None or plan.side is None:
            return to_uint8(translate_any_size(self.function, to_float(image[None]))[0])
        height, width = image.shape[:2]
        padded = _padded(image[None], self._tiled.locality.divisor)[0]
        return tiles.translate_tiles(self._tiled, padded, plan.side)[:height, :width]

    def plan(self, height, width, side=None):
        """The `tiles.Plan` of a picture, in tiles of a side, or of those that fit into memory.

        Raises InputError where none fit, or the model's network is not known to allow tiles.
        """
        pixels = math.prod(_fitting_sides((height, width), DIVISOR))
        is_small = pixels <= min(SMALL_PICTURE, self.largest or SMALL_PICTURE)
        # Of a small picture no network need be made of an export.
        if side is None and (is_small or self._tiled is None):
            return tiles.Plan(None, 1, None)
        if self._tiled is None:
            raise InputError(
                "this model cannot translate in tiles: it was exported by an earlier version, "
                "or a layer of its network sees more than the surroundings of a pixel"
            )
        locality = self._tiled.locality
        sides = _fitting_sides((height, width), locality.divisor)
        return tiles.plan(locality, *sides, available_memory(), self.largest, side)

    @functools.cached_property
    def _tiled(self):
        network = self.network and self.network()
        locality = network and find_locality(network)
        return tiles.tiled(network, locality) if locality else None


def translate_any_size(function, images):
    """Translates images `float32 [n, h, w, channels]` in [-1, 1]; their sides need not fit.

    The endpoint `function` wants multiples of 4, and at least 8 px: images are continued by their
    mirror images to these, and what was made of that is cut off. Returns `float32 [n, h, w, c]`.
    """
    height, width = images.shape[1:3]
    try:
        return function(image=tf.constant(_padded(images)))["image"].numpy()[:, :height, :width]
    except tf.errors.InvalidArgumentError as error:
        raise InputError(
            f"the export refuses a picture of {height} x {width}: {cause(error)} (make export "
            'ARGS="--max-pixels N" of the run lets larger ones in)'
        ) from error


def _padded(images, divisor=DIVISOR):
    sides = images.shape[1:3]
    fitting = _fitting_sides(sides, divisor)
    more = [(0, larger - side) for side, larger in zip(sides, fitting, strict=True)]
    return np.pad(images, ((0, 0), *more, (0, 0)), mode="symmetric")


def _fitting_sides(sides, divisor):
    """The smallest sides, none smaller than those given, that a network takes."""
    return [max(SMALLEST_SIDE, side + -side % divisor) for side in sides]


def make_translator(endpoints, endpoint):
    """Makes the `ImageTranslator` of an endpoint, `translate_x_to_y` or `translate_y_to_x`."""
    channels = endpoints.specs(endpoint)["image"].shape[-1]
    network = endpoints.networks.get(endpoint)
    return ImageTranslator(endpoints[endpoint], channels, network, endpoints.largest_pixels)
