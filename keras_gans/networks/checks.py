"""What the networks must fit, checked before they are trained."""

from keras import layers

from keras_gans import compat
from keras_gans.errors import InputError


def check_translators(generator_g, generator_f, discriminator_x, discriminator_y, pool_size):
    """Checks G: X -> Y, F: Y -> X, D_X and D_Y; see `models.CycleGAN`.

    Raises:
        ValueError: Naming what does not fit.
    """
    if not isinstance(pool_size, int) or pool_size < 0:
        raise ValueError(f"pool_size must be an integer of at least 0. Received: {pool_size!r}")
    networks = {
        "generator_g": generator_g,
        "generator_f": generator_f,
        "discriminator_x": discriminator_x,
        "discriminator_y": discriminator_y,
    }
    takes = {role: _images(role, network) for role, network in networks.items()}
    for maker, takers in {
        "generator_g": ("generator_f", "discriminator_y"),
        "generator_f": ("generator_g", "discriminator_x"),
    }.items():
        made = tuple(networks[maker].output.shape)
        for taker in takers:
            if not _fits(made, takes[taker]):
                raise ValueError(
                    f"{taker} must take what {maker} makes, {made}. "
                    f"Received: a network of inputs {takes[taker]}"
                )
    for role in ("discriminator_x", "discriminator_y"):
        if pool_size and None in takes[role][1:]:
            raise ValueError(
                f"{role} must take images of one size, as those of a pool are, or pool_size be 0. "
                f"Received: a network of inputs {takes[role]}"
            )


def check_cycle_weights(lambda_cycle, lambda_identity, generator_g, generator_f):
    """The cycle loss's two weights, of X's and of Y's part.

    Raises:
        ValueError: If a weight is negative, or images of X cannot be compared with those of Y.
    """
    cycles = tuple(lambda_cycle if isinstance(lambda_cycle, (tuple, list)) else [lambda_cycle] * 2)
    for name, weights in {"cycle": cycles, "identity": (lambda_identity,)}.items():
        if not all(weight >= 0.0 for weight in weights):
            raise ValueError(f"lambda_{name} must be at least 0. Received: {weights}")
    if lambda_identity:
        _check_identity(generator_g, generator_f)
    return cycles


def _check_identity(generator_g, generator_f):
    x, y = (network.inputs[0].shape[-1] for network in (generator_g, generator_f))
    if x != y:
        raise ValueError(
            "lambda_identity must be 0 where X and Y have not as many channels. "
            f"Received: images of {x} and of {y} channels"
        )


def _images(role, network):
    inputs = getattr(network, "inputs", None)
    if not inputs or len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise ValueError(
            f"{role} must have one defined input, images [n, h, w, c]. Received: {network!r}"
        )
    return tuple(inputs[0].shape)


def _fits(made, taken):
    """Sides that are open on one side fit whatever the other's are."""
    pairs = zip(made, taken, strict=False)
    return len(made) == len(taken) and all(a == b or None in (a, b) for a, b in pairs)


def check_image_shape(image_shape, divisor=1):
    """Raises InputError unless `image_shape` is (height, width, channels) that a network can make.

    Height and width must be multiples of `divisor`, channels 1 or 3.
    """
    if len(image_shape) != 3 or min(image_shape) < 1 or image_shape[2] not in (1, 3):
        raise InputError(
            "image_shape must be (height, width, channels) with 1 or 3 channels. "
            f"Received: image_shape={tuple(image_shape)}"
        )
    height, width, _ = image_shape
    if height % divisor or width % divisor:
        raise InputError(
            f"image height and width must be divisible by {divisor}: resize the images, with "
            f"--image-size [{_nearest(height, divisor)},{_nearest(width, divisor)}] say. "
            f"Received: {height} x {width}"
        )


def _nearest(size, divisor):
    return max(2, round(size / divisor)) * divisor


def check_adversarial_autoencoder(encoder, decoder, discriminator, num_classes):
    """Checks that three networks fit each other; returns `(image_shape, latent_dim)`.

    The encoder's width may be that of the decoder's input or twice that; the discriminator takes
    codes, or with `num_classes` codes and a label.

    Raises:
        ValueError: Naming what does not fit.
    """
    gaussian = _width(encoder, "output") == 2 * _width(decoder, "input")
    image_shape, latent_dim = check_autoencoder(encoder, decoder, 2 if gaussian else 1)
    inputs = [tuple(tensor.shape) for tensor in getattr(discriminator, "inputs", None) or ()]
    wanted = [(None, latent_dim)] if num_classes is None else [(None, latent_dim), (None,)]
    if inputs != wanted:
        asked = "codes" if num_classes is None else f"codes and labels (num_classes={num_classes})"
        raise ValueError(f"discriminator must take {asked}, {wanted}. Received: inputs {inputs}")
    if discriminator.output_shape != (None, 1):
        raise ValueError(
            f"discriminator must return logits [n, 1]. Received: {discriminator.output_shape}"
        )
    return image_shape, latent_dim


def _width(network, end):
    """The last size of a network's input or output; 0 where it has none."""
    shape = getattr(network, f"{end}_shape", None)
    return shape[-1] or 0 if isinstance(shape, tuple) else 0


def check_autoencoder(encoder, decoder, numbers_per_dimension=1):
    """Checks that `decoder` makes of codes the images that `encoder` takes; returns both sizes.

    Args:
        encoder: Functional network, or Sequential with an Input: images to codes.
        decoder: The same: codes to images, or logits of their pixels.
        numbers_per_dimension: What the encoder gives for each dimension of a code: 2 of a Gaussian
            one, mean and log variance.

    Returns:
        `(image_shape, latent_dim)`.

    Raises:
        ValueError: Naming what does not fit.
    """
    for role, network in (("encoder", encoder), ("decoder", decoder)):
        if len(getattr(network, "inputs", None) or ()) != 1:
            raise ValueError(
                f"{role} must have one defined input: give its keras.Sequential a keras.Input "
                f"first, or build it as keras.Model(input, output). Received: {network!r}"
            )
    if len(encoder.input_shape) != 4:
        raise ValueError(f"encoder must take images [n, h, w, c]. Received: {encoder.input_shape}")
    if len(decoder.input_shape) != 2 or decoder.input_shape[1] is None:
        raise ValueError(
            f"decoder must take codes [n, latent_dim]. Received: {decoder.input_shape}"
        )
    latent_dim = decoder.input_shape[1]
    width = numbers_per_dimension * latent_dim
    if tuple(encoder.output_shape) != (None, width):
        raise ValueError(
            f"encoder must give {width} numbers [n, {width}] for a decoder of latent_dim="
            f"{latent_dim}. Received: {encoder.output_shape}"
        )
    if decoder.output_shape != encoder.input_shape:
        raise ValueError(
            f"decoder must make what encoder takes, {encoder.input_shape}. "
            f"Received: {decoder.output_shape}"
        )
    return tuple(encoder.input_shape[1:]), latent_dim


def check_no_batch_statistics(critic):
    """Raises ValueError for a critic with BatchNormalization, however deep inside."""
    for layer in compat.all_layers(critic):
        if isinstance(layer, layers.BatchNormalization):
            raise ValueError(
                "critic must have no BatchNormalization: it lets an image's score depend on the "
                "other images, and the penalty is on the slope at each. LayerNormalization may "
                f"take its place. Received: a critic with {layer.name!r}"
            )


def check_pair(generator, discriminator, conditions, role="discriminator"):
    """Checks that D takes what G makes; returns the latent dimension.

    Args:
        generator, discriminator: Networks with defined inputs (Functional, or Sequential with an
            Input), each with `conditions` inputs beside its latent or image.
        role: What the second is called in errors.

    Raises:
        ValueError: Naming what does not fit.
    """
    latent = _first_input("generator", generator, conditions)
    images = _first_input(role, discriminator, conditions)
    if len(latent) != 2 or latent[1] is None:
        raise ValueError(f"generator must take latents [n, latent_dim]. Received: {latent}")
    if tuple(generator.output.shape) != images:
        raise ValueError(
            f"{role} must take what generator makes, {tuple(generator.output.shape)}. "
            f"Received: a {role} of inputs {images}"
        )
    if tuple(discriminator.output.shape) != (None, 1):
        raise ValueError(
            f"{role} must return one number an image, [n, 1]. "
            f"Received: {discriminator.output.shape}"
        )
    return latent[1]


def check_class_names(class_names, num_classes):
    """Returns a tuple of `num_classes` names: the given ones, or "0", "1", ... for None.

    Raises:
        ValueError: If their number differs, or `num_classes` is not a positive integer.
    """
    if not isinstance(num_classes, int) or num_classes < 1:
        raise ValueError(f"num_classes must be a positive integer. Received: {num_classes!r}")
    names = tuple(str(index) for index in range(num_classes))
    names = names if class_names is None else tuple(class_names)
    if len(names) != num_classes:
        raise ValueError(f"class_names must hold {num_classes} names. Received: {class_names!r}")
    return names


def _first_input(role, network, conditions):
    inputs = getattr(network, "inputs", None)
    if not inputs:
        raise ValueError(
            f"{role} must have a defined input: give its keras.Sequential a keras.Input first, or "
            f"build it as keras.Model(inputs, outputs). Received: {network!r}"
        )
    if len(inputs) != 1 + conditions:
        raise ValueError(f"{role} must have {1 + conditions} inputs. Received: {len(inputs)}")
    return tuple(inputs[0].shape)
