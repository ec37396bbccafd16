"""The theory of GANs, runnable: exact densities and divergences, and an experiment for each claim.

`import keras_gans.theory` loads SciPy, so `keras_gans` itself does not import it.
"""

from keras_gans.theory import densities, divergences, game

__all__ = ["densities", "divergences", "game"]
