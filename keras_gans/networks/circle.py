"""Whether four networks can translate between two sets of images, and back."""


def check_circle(generator_g, generator_f, discriminator_x, discriminator_y, pool_size):
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


def checked_lambdas(lambda_cycle, lambda_identity, generator_g, generator_f):
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
