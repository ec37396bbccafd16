"""What scores the models of a data set: samples, or translations between two domains."""

from keras_gans.data import UnpairedSource
from keras_gans.evaluation import Evaluator
from keras_gans.translation import TranslationEvaluator


def of(source, feature_name=None, count=10_000, metrics=None, *, cache_dir):
    """The `Evaluator` or `TranslationEvaluator` for a source; the arguments are theirs."""
    kind = TranslationEvaluator if isinstance(source, UnpairedSource) else Evaluator
    return kind(source, feature_name, count, metrics, cache_dir=cache_dir)
