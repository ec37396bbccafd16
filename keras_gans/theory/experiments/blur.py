"""The claim that a VAE's images blur because of its L2 likelihood: on points and on digits."""

import keras
import numpy as np

from keras_gans.metrics.sharpness import sharpness
from keras_gans.models import GAN, VAE, ConditionalGAN
from keras_gans.networks import mlp
from keras_gans.theory import densities, digits, toys
from keras_gans.theory.claims import Outcome
from keras_gans.visualize import plots

PLACES = (-0.6, 0.0, 0.6)  # the conditions: where along the first number
SIDE, SCALE = 0.3, 0.03  # the second number is +SIDE or -SIDE, nobody knows which
MODES = np.array([[x, y] for x in PLACES for y in (-SIDE, SIDE)])
COUNT = 2000


def conditional_networks():
    """Builds a generator and a discriminator of points that take the condition, a label."""
    latent, label = keras.Input((2,)), keras.Input((), dtype="int32")
    embedded = keras.layers.Embedding(len(PLACES), 4)(label)
    x = keras.layers.Concatenate()([latent, embedded])
    points = keras.layers.Reshape((1, 1, 2))(toys.dense(x, 64, 2, 2))
    image, other = keras.Input((1, 1, 2)), keras.Input((), dtype="int32")
    embedded = keras.layers.Embedding(len(PLACES), 4)(other)
    x = keras.layers.Concatenate()([keras.layers.Flatten()(image), embedded])
    logits = toys.dense(x, 64, 2, 1)
    return keras.Model([latent, label], points), keras.Model([image, other], logits)


def near_modes(points):
    """The share of points within three standard deviations of a mode."""
    distances = np.linalg.norm(points[:, None] - MODES, axis=2).min(axis=1)
    return float(np.mean(distances <= 3.0 * SCALE))


def blur(done, steps=2000):
    """Given where, a point is above or below: what decoder and generator draw."""
    p_data = densities.gaussian_mixture(MODES, SCALE)
    points = p_data.sample(toys.BATCHES * toys.BATCH, seed=0)
    labels = np.abs(points[:, :1] - np.array(PLACES)).argmin(axis=1).astype(np.int32)
    keras.utils.set_random_seed(0)
    encoder, decoder = toys.encoder(2, latent_dim=2), toys.generator(2, latent_dim=1)
    vae = VAE(encoder, decoder, likelihood="gaussian", decoder_scale=0.3)
    toys.compiled(vae, keras.optimizers.Adam(2e-3))
    toys.train(vae, points, steps)
    done("VAE")
    gan = ConditionalGAN(*conditional_networks(), num_classes=len(PLACES))
    toys.compiled(gan, toys.adam(1e-3, steps), toys.adam(2e-3, steps))
    toys.train(gan, points, steps, labels=labels)
    done("conditional GAN")
    means = toys.to_points(vae.decode(toys.latents(COUNT, 1)))
    asked = (np.arange(COUNT) % len(PLACES)).astype(np.int32)
    made = toys.to_points(gan.generator([toys.latents(COUNT, 2).numpy(), asked], training=False))

    figure, axes = plots.figure(3)
    for panel, shown, color, title in (
        (axes[0], points[:COUNT], plots.BLACK, "data: above or below, by a coin"),
        (axes[1], means, plots.ORANGE, "VAE: means of p(x|z), z of the prior"),
        (axes[2], made, plots.BLUE, "conditional GAN: G(z|y)"),
    ):
        panel.plot(*shown.T, ".", color=color, markersize=2)
        panel.plot(*MODES.T, "x", color=plots.RED, markersize=9, label="modes")
        panel.set(xlim=(-1.0, 1.0), ylim=(-0.7, 0.7))
        plots.name_axes(panel, "first number: the condition", "second number", title)
    shares = near_modes(means), near_modes(made)
    middle = float(np.mean(np.abs(means[:, 1])))
    return Outcome(
        f"on a mode (3 sigma): {shares[0]:.1%} of the VAE's means, {shares[1]:.1%} of the GAN's "
        f"points; the VAE's means lie {middle:.3f} from the middle, the modes {SIDE}",
        shares[0] < 0.1 and shares[1] > 0.5,
        {"vae_on_modes": shares[0], "gan_on_modes": shares[1], "vae_middle": middle},
        {"blur": plots.to_picture(figure)},
    )


def sharp_digits(done, steps=3000):
    """Sharpness of digits: VAEs of two likelihoods and a GAN of dense networks."""
    images, _ = digits.load()
    shape = images.shape[1:]
    made = {"real digits": images[:1000]}
    for name, likelihood in (("VAE, L2", "gaussian"), ("VAE, Bernoulli", "bernoulli")):
        keras.utils.set_random_seed(0)
        output = "logits" if likelihood == "bernoulli" else "images"
        coders = digits.coders(shape, latent_dim=8, numbers=2, output=output)
        vae = VAE(*coders, likelihood=likelihood, decoder_scale=0.4)
        digits.train(vae, (keras.optimizers.Adam(1e-3),), images, steps)
        made[name] = vae.decode(toys.latents(1000, 8)).numpy()
        done(name)
    keras.utils.set_random_seed(0)
    gan = GAN(mlp.generator(shape, 64), mlp.discriminator(shape), ema_decay=0.999)
    digits.train(gan, (toys.adam(2e-4), toys.adam(2e-4)), images, 2 * steps)
    made["GAN"] = gan.sampler(toys.latents(1000, 64), training=False).numpy()
    done("GAN")
    scores = {
        name: sharpness(np.clip(0.5 * (pictures + 1.0), 0.0, 1.0))
        for name, pictures in made.items()
    }
    real = scores["real digits"].value
    texts = [f"{name} {score.value / real:.0%}" for name, score in scores.items()]
    blurred = max(scores[name].value for name in ("VAE, L2", "VAE, Bernoulli"))
    return Outcome(
        f"sharpness (variance of the Laplacian) of 1,000, real digits {real:.4f}: "
        + ", ".join(texts[1:]),
        blurred < 0.8 * real and blurred < scores["GAN"].value,
        {name: score.value for name, score in scores.items()},
        {"sharpness": digits.strips(made)},
    )
