"""Reads the names of scores and features that version 0.1.0 wrote.

It called the Frechet and the kernel distance of any features `fid` and `kid`, and Keras's
InceptionV3 `inception`.
"""

import re

from keras_gans.metrics.registry import name_by_features

_SCORE = re.compile(r"(.+)_(\d+k?)_([a-z]+)(_[xy]_to_[xy])?")  # score, count, features, direction


def current_features(name):
    """Returns today's name of features: `inception_keras` for `inception`."""
    return "inception_keras" if name == "inception" else name


def current_score(name):
    """Returns today's name of a score: `frechet_2k_classifier` for `fid_2k_classifier`."""
    found = _SCORE.fullmatch(name)
    if not found:
        return name
    score, count, features, direction = found.groups(default="")
    features = current_features(features)
    return f"{name_by_features(score, features)}_{count}_{features}{direction}"


def current_scores(scores):
    """Returns `{name: value}` by today's names of the scores."""
    return {current_score(name): value for name, value in scores.items()}


def current_settings(settings):
    """Returns a run's settings with today's values of `features` and `best_metric`."""
    features, metric = (settings.get(name) for name in ("features", "best_metric"))
    changed = {"features": current_features(features)} if features else {}
    if features and metric:
        changed["best_metric"] = name_by_features(metric, changed["features"])
    return {**settings, **changed}
