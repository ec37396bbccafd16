"""Names that version 0.1.0 wrote, and what they are today."""

import pytest

from keras_gans.metrics import earlier_names


@pytest.mark.parametrize(
    ("earlier", "current"),
    [
        ("fid_2k_classifier", "frechet_2k_classifier"),
        ("kid_20_pixels", "mmd_20_pixels"),
        ("kid_297_pixels_x_to_y", "mmd_297_pixels_x_to_y"),
        ("fid_10k_inception", "fid_10k_inception_keras"),
        ("inception_score_10k_inception", "inception_score_10k_inception_keras"),
        ("label_accuracy_2k_classifier", "label_accuracy_2k_classifier"),
        ("posterior_mmd_20_codes", "posterior_mmd_20_codes"),
        ("parzen_10k_pixels", "parzen_10k_pixels"),
        ("fid_10k_inception_2015", "fid_10k_inception_2015"),
        ("frechet_2k_classifier", "frechet_2k_classifier"),
        ("nothing like it", "nothing like it"),
    ],
)
def test_a_score(earlier, current):
    assert earlier_names.current_score(earlier) == current
    assert earlier_names.current_score(current) == current
    assert earlier_names.current_scores({earlier: 3}) == {current: 3}


@pytest.mark.parametrize(
    ("features", "metric", "today"),
    [
        ("classifier", "fid", ("classifier", "frechet")),
        ("pixels", "kid", ("pixels", "mmd")),
        ("inception", "kid", ("inception_keras", "kid")),
        ("classifier", "recall", ("classifier", "recall")),
        ("classifier", "frechet", ("classifier", "frechet")),
    ],
)
def test_settings_of_a_run(features, metric, today):
    settings = {"variant": "gan", "features": features, "best_metric": metric}
    found = earlier_names.current_settings(settings)
    assert found == {"variant": "gan", "features": today[0], "best_metric": today[1]}
    assert earlier_names.current_settings({"variant": "gan"}) == {"variant": "gan"}
