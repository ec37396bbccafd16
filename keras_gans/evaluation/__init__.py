"""Scores of a model against real images, by protocol, and the file that keeps them."""

from keras_gans.evaluation import results
from keras_gans.evaluation.evaluator import Evaluator
from keras_gans.evaluation.translation import TranslationEvaluator

__all__ = ["Evaluator", "TranslationEvaluator", "results"]
