"""Metrics by name: which features a score is of, and how it is written."""

import pytest

from keras_gans.metrics import registry


@pytest.mark.parametrize("features", registry.FEATURE_NAMES)
def test_published_names_are_of_inception_alone(features):
    names = [registry.name_by_features(score, features) for score in ("fid", "kid")]
    assert names == (["fid", "kid"] if "inception" in features else ["frechet", "mmd"])
    assert [registry.name_by_features(name, features) for name in ("frechet", "mmd")] == names
    assert registry.name_by_features("recall", features) == "recall"
    for name in names:
        assert registry.base_name(registry.score_name(name, 10_000, features)) == name


def test_a_name_carries_the_number_of_samples_and_the_features():
    assert registry.score_name("frechet", 10_000, "classifier") == "frechet_10k_classifier"
    assert registry.score_name("frechet", 1_500, "classifier") == "frechet_1500_classifier"
    assert registry.score_name("parzen", 2_000, "classifier") == "parzen_2k_pixels"
    assert registry.score_name("posterior_mmd", 20, "pixels") == "posterior_mmd_20_codes"
    assert registry.base_name("posterior_mmd_floor_20_codes") == "posterior_mmd_floor"
    assert registry.metric_for("recall") == "precision_recall"


def test_values_as_people_read_them():
    assert registry.value_text("label_accuracy_2k_classifier", 0.98765) == "98.77%"
    assert registry.value_text("classes_covered_2k_classifier", 10.0) == "10"
    assert registry.value_text("frechet_2k_classifier", 5.43219) == "5.432"
