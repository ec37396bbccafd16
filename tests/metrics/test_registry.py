"""Metrics by name: which features a score is of, and how it is written."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.metrics import registry
from keras_gans.metrics.estimate import Estimate
from tests.metrics.test_reconstruction import Linear, images


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
    with pytest.raises(InputError, match="no score is called beauty_2k_pixels: it may be of a l"):
        registry.base_name("beauty_2k_pixels")


def test_what_chooses_a_checkpoint_is_better_the_lower_or_the_higher():
    assert {"frechet", "recall", "parzen"} <= set(registry.CHOOSING)
    others = {"copied_share", "nearest_training_ratio", "sharpness", "identity_error"}
    assert not others & set(registry.CHOOSING)


def real_images(class_names, labels):
    """Images whose codes are those of class 3 of `Linear(3, shift=3.0, num_classes=4)`."""
    data = SimpleNamespace(name="x", class_names=class_names, num_classes=len(class_names or ()))
    reference = SimpleNamespace(size=500, labels=labels)
    return SimpleNamespace(source=data, reference=reference, batches=lambda: [images(500)])


def test_the_prior_is_that_of_the_classes_by_name():
    """Of data that has some of the model's classes, or has them in another order."""
    model, posterior = Linear(3, shift=3.0, num_classes=4), registry.METRICS["posterior"].function
    for names, label in ((("0", "1", "2", "3"), 3), (("2", "3"), 1), (("3", "0", "1", "2"), 0)):
        score = posterior(model.endpoints, real_images(names, np.full(500, label)))["posterior_mmd"]
        assert abs(score.value) < 4 * score.standard_error < 0.02
    turned = posterior(model.endpoints, real_images(None, None))["posterior_mmd"]
    assert turned.value > 0.1  # all classes in turn
    with pytest.raises(InputError, match="the model has 4 classes, x has 10: name the data"):
        posterior(model.endpoints, real_images(tuple("0123456789"), np.full(500, 7)))


def test_values_as_people_read_them():
    assert registry.value_text("label_accuracy_2k_classifier", 0.98765) == "98.77%"
    assert registry.value_text("classes_covered_2k_classifier", 10.0) == "10"
    assert registry.value_text("frechet_2k_classifier", 5.43219) == "5.432"


def test_the_worst_class_is_named_with_its_samples():
    scores = {
        "label_accuracy_2k_classifier": Estimate(0.9645, 0.004),
        "label_accuracy_worst_2k_classifier": Estimate(1 / 15, 0.064, "class 8: 1 of 15"),
    }
    plain = registry.as_dict(scores)
    assert plain["label_accuracy_2k_classifier"] == {"value": 0.9645, "standard_error": 0.004}
    assert Estimate(**plain["label_accuracy_worst_2k_classifier"]) == list(scores.values())[1]
    assert registry.worst_class_text(plain) == "class 8: 1 of 15 samples show it"
    assert registry.base_name(list(scores)[1]) == "label_accuracy_worst"
    assert registry.value_text(list(scores)[1], 1 / 15) == "6.67%"


def test_both_directions_of_translations_have_a_worst_class():
    name = "label_accuracy_worst_297_classifier"
    notes = {"_x_to_y": "class 1: 20 of 30", "_y_to_x": "class 7: 9 of 29"}
    plain = {name + way: {"value": 0.5, "note": note} for way, note in notes.items()}
    assert registry.worst_class_text({name: {"value": 0.5}} | plain) == (
        "class 1: 20 of 30 samples show it (x to y); class 7: 9 of 29 samples show it (y to x)"
    )
    # As files of earlier versions are.
    assert registry.worst_class_text({"label_accuracy_2k_classifier": {"value": 1.0}}) is None
