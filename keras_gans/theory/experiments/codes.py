"""The claim that an adversarial autoencoder makes the latent space one that can be walked."""

import keras
import numpy as np

from keras_gans.models import VAE, AdversarialAutoencoder, Autoencoder
from keras_gans.networks import autoencoder
from keras_gans.theory import digits, toys
from keras_gans.theory.claims import Outcome
from keras_gans.visualize import plots

LATENT_DIM, COUNT = 8, 2000
SURE = 0.9  # of the classifier: then a picture counts as a digit
WALKS = 4


def models(shape):
    """`{name: (model, optimizers)}` of encoders and decoders that are alike."""
    code = autoencoder.discriminator(LATENT_DIM, units=digits.UNITS)
    encoder, decoder = digits.coders(shape, LATENT_DIM)
    plain, adversarial = digits.coders(shape, LATENT_DIM), (encoder, decoder, code)
    gaussian = digits.coders(shape, LATENT_DIM, numbers=2, output="logits")
    rates = 1e-3, 2e-4, 2e-4
    return {
        "autoencoder": (Autoencoder(*plain), [keras.optimizers.Adam(1e-3)]),
        "AAE": (AdversarialAutoencoder(*adversarial), [keras.optimizers.Adam(r) for r in rates]),
        "VAE": (VAE(*gaussian), [keras.optimizers.Adam(1e-3)]),
    }


def codes(done, steps=4000, cache="runs/.metrics"):
    """The share of draws of N(0, I) that decode to a digit, and walks from one to another."""
    images, labels = digits.load()
    found = digits.judge(cache)
    done("classifier")

    def share(pictures):
        return float(np.mean(digits.probabilities(found, pictures).max(axis=1) >= SURE))

    keras.utils.set_random_seed(0)
    draws = toys.latents(COUNT, LATENT_DIM).numpy()
    shares, scales, rows = {}, {}, {}
    starts = [np.flatnonzero(labels == digit)[0] for digit in (0, 1, 4, 7, 3)]
    for name, (model, optimizers) in models(images.shape[1:]).items():
        digits.train(model, optimizers, images, steps)
        drawn = np.asarray(model.decode(draws))
        shares[name] = share(drawn)
        encoded = np.asarray(model.encode(images))
        scales[name] = float(encoded.std())
        rows[f"{name}: prior"] = drawn
        weights = np.linspace(0.0, 1.0, digits.COLUMNS)[:, None]
        for walk in range(WALKS):
            first, second = encoded[starts[walk]], encoded[starts[walk + 1]]
            path = (1.0 - weights) * first + weights * second
            rows[f"{name}: walk {walk + 1}"] = np.asarray(model.decode(path.astype(np.float32)))
        done(name)
    real = share(images)
    figure, axes = plots.figure(size=(6.0, 3.8))
    places, heights = range(len(shares)), [100.0 * each for each in shares.values()]
    bars = axes.bar(places, heights, color=plots.BLUE)
    axes.set_xticks(places, list(shares))
    axes.bar_label(bars, [f"{each:.1%}" for each in shares.values()])
    label = f"real digits, {real:.1%}"
    axes.axhline(100.0 * real, color=plots.ORANGE, linestyle="--", label=label)
    axes.set_ylim(0.0, 118.0)
    title = f"{COUNT:,} draws of N(0, I), decoded"
    plots.name_axes(axes, "model", f"read as a digit, {SURE:.0%} sure (%)", title)
    texts = ", ".join(
        f"{name} {each:.1%} (codes' standard deviation {scales[name]:.2f})"
        for name, each in shares.items()
    )
    return Outcome(
        f"draws of N(0, I) that read as a digit: {texts}; real digits {real:.1%}",
        min(shares["AAE"], shares["VAE"]) > shares["autoencoder"] + 0.05,
        {f"share {name}": each for name, each in shares.items()} | {"share real": real},
        {"codes": plots.to_picture(figure), "codes_walks": digits.strips(rows)},
    )
