"""Scores of a model against real images, by protocol, and the file that keeps them."""

from keras_gans.evaluation import results
from keras_gans.evaluation.evaluator import Evaluator
from keras_gans.evaluation.translation import TranslationEvaluator, evaluator_for

__all__ = ["Evaluator", "TranslationEvaluator", "evaluator_for", "results"]
