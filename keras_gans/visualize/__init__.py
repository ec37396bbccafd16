"""What is drawn: grids, walks, latent spaces, comparisons, and what TensorBoard shows."""

from keras_gans.visualize import comparison, history, images, latent_space, tensorboard, walks

__all__ = ["comparison", "history", "images", "latent_space", "tensorboard", "walks"]
