"""One recipe per variant: the paper's settings, and the model they build."""

from keras_gans.recipes.base import Recipe
from keras_gans.recipes.cgan import ConditionalGANRecipe
from keras_gans.recipes.dcgan import DCGANRecipe
from keras_gans.recipes.gan import GANRecipe

RECIPES = {recipe.variant: recipe for recipe in (GANRecipe, DCGANRecipe, ConditionalGANRecipe)}

__all__ = ["RECIPES", "ConditionalGANRecipe", "DCGANRecipe", "GANRecipe", "Recipe"]
