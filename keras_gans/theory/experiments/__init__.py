"""The experiments, a page for each subject, and the list of all claims."""

from keras_gans.theory.claims import Claim
from keras_gans.theory.experiments import (
    blur,
    classes,
    codes,
    cycle,
    discriminator,
    distance,
    generator,
    likelihood,
    modes,
    population,
    sampling,
)

# What `make theory CLAIM=` takes, in the order of the table.
CLAIMS = {
    "population": Claim(
        1,
        "Training brings p_g near p_data; rare and impossible kinds have low density.",
        population.population,
    ),
    "likelihood": Claim(
        2, "Maximum likelihood is minimal KL(p_data, p_theta).", likelihood.likelihood
    ),
    "support": Claim(3, "KL explodes outside the support.", likelihood.support),
    "optimal": Claim(4, "D trained to the end is p_data / (p_data + p_g).", discriminator.optimal),
    "value": Claim(
        5,
        "With D* the value is -log 4 + 2 JSD, and -log 4 only where p_g = p_data.",
        discriminator.value,
    ),
    "weak": Claim(
        6, "D = 1/2 does not mean p_g = p_data where D is weak.", discriminator.weak, parts=2
    ),
    "nonsaturating": Claim(
        7,
        "log(1 - D(G(z))) saturates while D rejects; -log D(G(z)) does not.",
        generator.nonsaturating,
        parts=4,
    ),
    "misprint": Claim(
        8,
        "V printed with log D(G(z)) in its second term is no game.",
        generator.misprint,
        parts=3,
    ),
    "capacity": Claim(
        9,
        "The proof supposes enough capacity: a Gaussian cannot be a uniform.",
        generator.capacity,
        parts=2,
    ),
    "turns": Claim(10, "G learns only from D's gradient.", generator.turns, parts=2),
    "modes": Claim(11, "GANs lose modes.", modes.modes, parts=4),
    "disjoint": Claim(
        12,
        "On disjoint supports JSD has no slope, the Wasserstein estimate has.",
        distance.disjoint,
        parts=2,
    ),
    "sampling": Claim(13, "Sampling a GAN is one forward pass, MCMC is not.", sampling.sampling),
    "blur": Claim(
        14, "VAE samples blur because of the L2 likelihood: on points.", blur.blur, parts=2
    ),
    "sharpness": Claim(
        14,
        "VAE samples blur because of the L2 likelihood: on digits.",
        blur.sharp_digits,
        parts=3,
        by_default=False,
    ),
    "classes": Claim(
        15,
        "A GAN without labels does not draw classes evenly, a conditional one does.",
        classes.classes,
        parts=3,
        by_default=False,
    ),
    "codes": Claim(
        16,
        "An AAE makes latent space walkable; a plain autoencoder's codes have no prior.",
        codes.codes,
        parts=4,
        by_default=False,
    ),
    "cycle": Claim(17, "Cycle consistency ties two translations together.", cycle.cycle, parts=2),
}
