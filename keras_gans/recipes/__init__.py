"""One recipe per variant: the paper's settings, and the model they build."""

from keras_gans.recipes.aae import AdversarialAutoencoderRecipe
from keras_gans.recipes.augmentation import AugmentedRecipe
from keras_gans.recipes.autoencoder import AutoencoderRecipe
from keras_gans.recipes.base import Recipe
from keras_gans.recipes.cgan import ConditionalGANRecipe
from keras_gans.recipes.cyclegan import CycleGANRecipe
from keras_gans.recipes.dcgan import DCGANRecipe
from keras_gans.recipes.gan import GANRecipe
from keras_gans.recipes.r3gan import R3GANRecipe
from keras_gans.recipes.vae import VAERecipe
from keras_gans.recipes.wgan_gp import WGANGPRecipe

RECIPES = {
    recipe.variant: recipe
    for recipe in (
        GANRecipe,
        DCGANRecipe,
        ConditionalGANRecipe,
        WGANGPRecipe,
        R3GANRecipe,
        VAERecipe,
        AdversarialAutoencoderRecipe,
        AutoencoderRecipe,
        CycleGANRecipe,
    )
}

__all__ = [
    "RECIPES",
    "AdversarialAutoencoderRecipe",
    "AugmentedRecipe",
    "AutoencoderRecipe",
    "ConditionalGANRecipe",
    "CycleGANRecipe",
    "DCGANRecipe",
    "GANRecipe",
    "R3GANRecipe",
    "Recipe",
    "VAERecipe",
    "WGANGPRecipe",
]
