"""Checks that networks fit each other and their images, before they are trained.

What does not fit raises: an InputError for the size of images, a ValueError for networks.
"""

from numbers import Integral

from keras import layers

from keras_gans import compat
from keras_gans.errors import InputError, is_integer

HINT = "give its keras.Sequential a keras.Input first, or build it as keras.Model(inputs, outputs)"


def check_image_shape(image_shape, divisor=1):
    """Checks that `image_shape` is (height, width, channels) that a network can make.

    Height and width must be multiples of `divisor`, channels 1 or 3.
    """
    if len(image_shape) != 3 or min(image_shape) < 1 or image_shape[2] not in (1, 3):
        raise InputError(
            "image_shape must be (height, width, channels) with 1 or 3 channels. "
            f"Received: image_shape={tuple(image_shape)}"
        )
    sides = image_shape[:2]
    if any(side % divisor for side in sides):
        nearest = (max(2, round(side / divisor)) * divisor for side in sides)
        raise InputError(
            f"image height and width must be divisible by {divisor}: resize the images, with "
            f"--image-size [{','.join(map(str, nearest))}] say. Received: {sides[0]} x {sides[1]}"
        )


def check_class_names(class_names, num_classes):
    """Returns a tuple of `num_classes` names: the given ones, or "0", "1", ... for None.

    Names that are whole numbers, as `np.unique(labels)`, become text.
    """
    if not is_integer(num_classes, 1):
        raise ValueError(f"num_classes must be a positive integer. Received: {num_classes!r}")
    names = tuple(range(num_classes) if class_names is None else class_names)
    if len(names) != num_classes:
        raise ValueError(f"class_names must hold {num_classes} names. Received: {class_names!r}")
    if not all(isinstance(name, (str, Integral)) for name in names):
        raise ValueError(f"class_names must be text. Received: {class_names!r}")
    return tuple(map(str, names))


def check_pair(generator, discriminator, conditions, role="discriminator"):
    """Checks that D takes what G makes; returns the latent dimension.

    Both have defined inputs (Functional, or Sequential with an Input), `conditions` of them beside
    the latent or image. `role` is what D is called in errors.
    """
    for name, network in {"generator": generator, role: discriminator}.items():
        inputs = _input_shapes(network)
        if not inputs:
            raise ValueError(f"{name} must have a defined input: {HINT}. Received: {network!r}")
        if len(inputs) != 1 + conditions:
            raise ValueError(f"{name} must have {1 + conditions} inputs. Received: {len(inputs)}")
    latent, images = _input_shapes(generator)[0], _input_shapes(discriminator)[0]
    made, logits = tuple(generator.output_shape), tuple(discriminator.output_shape)
    if len(latent) != 2 or latent[1] is None:
        raise ValueError(f"generator must take latents [n, latent_dim]. Received: {latent}")
    if made != images:
        raise ValueError(f"{role} must take what generator makes, {made}. Received: {images}")
    if logits != (None, 1):
        raise ValueError(f"{role} must return one number an image, [n, 1]. Received: {logits}")
    return latent[1]


def check_no_batch_statistics(network, role="critic"):
    """Checks that a critic or discriminator has no BatchNormalization, however deep inside."""
    for layer in compat.all_layers(network):
        if isinstance(layer, layers.BatchNormalization):
            raise ValueError(
                f"{role} must have no BatchNormalization: it lets an image's score depend on the "
                "other images, and the penalty is on the slope at each. LayerNormalization may "
                f"take its place. Received: a {role} with {layer.name!r}"
            )


def check_autoencoder(encoder, decoder, numbers_per_dimension=1):
    """Checks that `decoder` makes what `encoder` takes; returns `(image_shape, latent_dim)`.

    Both are Functional, or Sequential with an Input. The encoder gives `numbers_per_dimension` of a
    code: 2 of a Gaussian one, mean and log variance.
    """
    for role, network in {"encoder": encoder, "decoder": decoder}.items():
        if len(_input_shapes(network)) != 1:
            needed = f"{role} must have one defined input: {HINT}"
            raise ValueError(f"{needed}. Received: {network!r}")
    images, codes = encoder.input_shape, decoder.input_shape
    if len(images) != 4:
        raise ValueError(f"encoder must take images [n, h, w, c]. Received: {images}")
    if len(codes) != 2 or codes[1] is None:
        raise ValueError(f"decoder must take codes [n, latent_dim]. Received: {codes}")
    width = numbers_per_dimension * codes[1]
    if tuple(encoder.output_shape) != (None, width):
        raise ValueError(
            f"encoder must give {width} numbers [n, {width}] for a decoder of latent_dim="
            f"{codes[1]}. Received: {encoder.output_shape}"
        )
    made = decoder.output_shape
    if made != images:
        raise ValueError(f"decoder must make what encoder takes, {images}. Received: {made}")
    return tuple(images[1:]), codes[1]


def check_adversarial_autoencoder(encoder, decoder, discriminator, num_classes):
    """Checks that three networks fit each other; returns `(image_shape, latent_dim)`.

    The encoder's width may be that of the decoder's input or twice that; the discriminator takes
    codes, or with `num_classes` codes and a label.
    """
    shapes = getattr(encoder, "output_shape", None), getattr(decoder, "input_shape", None)
    given, taken = (shape[-1] if isinstance(shape, tuple) else None for shape in shapes)
    is_gaussian = None not in (given, taken) and given == 2 * taken
    image_shape, latent_dim = check_autoencoder(encoder, decoder, 2 if is_gaussian else 1)
    inputs = _input_shapes(discriminator)
    wanted = [(None, latent_dim)] if num_classes is None else [(None, latent_dim), (None,)]
    if inputs != wanted:
        asked = "codes" if num_classes is None else f"codes and labels (num_classes={num_classes})"
        raise ValueError(f"discriminator must take {asked}, {wanted}. Received: inputs {inputs}")
    logits = discriminator.output_shape
    if logits != (None, 1):
        raise ValueError(f"discriminator must return logits [n, 1]. Received: {logits}")
    return image_shape, latent_dim


def check_translators(*networks, pool_size):
    """Checks that G: X -> Y, F: Y -> X, D_X and D_Y take what the others make; see `CycleGAN`."""
    if not is_integer(pool_size, 0):
        raise ValueError(f"pool_size must be an integer of at least 0. Received: {pool_size!r}")
    g, f, x, y = ("generator_g", "generator_f", "discriminator_x", "discriminator_y")
    networks = dict(zip((g, f, x, y), networks, strict=True))
    for role, network in networks.items():
        if [len(shape) for shape in _input_shapes(network)] != [4]:
            raise ValueError(
                f"{role} must have one defined input, images [n, h, w, c]. Received: {network!r}"
            )
    takes = {role: _input_shapes(network)[0] for role, network in networks.items()}
    for maker, taker in ((g, f), (g, y), (f, g), (f, x)):
        made, taken = tuple(networks[maker].output_shape), takes[taker]
        # A side that one of them leaves open fits whatever the other's is.
        fits = (a == b or None in (a, b) for a, b in zip(made, taken, strict=False))
        if len(made) != len(taken) or not all(fits):
            raise ValueError(f"{taker} must take what {maker} makes, {made}. Received: {taken}")
    for role in (x, y):
        if pool_size and None in takes[role][1:]:
            raise ValueError(
                f"{role} must take images of one size, as those of a pool are, or pool_size be 0. "
                f"Received: a network of inputs {takes[role]}"
            )


def check_cycle_weights(lambda_cycle, lambda_identity, generator_g, generator_f):
    """Returns the cycle loss's two weights, of X's and of Y's part, none of them negative."""
    cycles = tuple(lambda_cycle if isinstance(lambda_cycle, (tuple, list)) else [lambda_cycle] * 2)
    for name, weights in {"cycle": cycles, "identity": (lambda_identity,)}.items():
        if not all(weight >= 0.0 for weight in weights):
            raise ValueError(f"lambda_{name} must be at least 0. Received: {weights}")
    x, y = generator_g.inputs[0].shape[-1], generator_f.inputs[0].shape[-1]
    if lambda_identity and x != y:
        raise ValueError(
            "lambda_identity must be 0 where X and Y have not as many channels. "
            f"Received: images of {x} and of {y} channels"
        )
    return cycles


def _input_shapes(network):
    """The shapes of a network's inputs; empty where they are not defined."""
    return [tuple(tensor.shape) for tensor in getattr(network, "inputs", None) or ()]
