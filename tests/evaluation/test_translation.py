"""What translations are scored by: the right answer where there is one, else sets of images."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data import Source, UnpairedSource
from keras_gans.data.arrays import ArraySplit
from keras_gans.data.subsets import shuffled
from keras_gans.errors import InputError, RunError
from keras_gans.evaluation import translation
from keras_gans.evaluation.evaluator import Evaluator
from keras_gans.serving.endpoints import Endpoints
from keras_gans.visualize import comparison
from tests.metrics.test_classifier import source, striped

SHAPE = (8, 8, 1)
COUNT = 40


def pixels(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, *SHAPE), np.uint8)


def domain(name, train, test, labels=None, classes=None):
    splits = [ArraySplit(images, labels) for images in (train, test)]
    return Source(name, SHAPE, classes, *splits, fingerprint=name)


def negatives():
    """Y's images are those of X with black for white."""
    held_out = pixels(COUNT, 0)
    x = domain("x", pixels(100, 1), held_out)
    y = domain("y", 255 - pixels(100, 2), 255 - held_out)
    return UnpairedSource("toy", x, y, paired=True)


def endpoints(x_to_y, y_to_x):
    def endpoint(function):
        return lambda image: {"image": function(image)}

    functions = {"translate_x_to_y": endpoint(x_to_y), "translate_y_to_x": endpoint(y_to_x)}
    spec = {"image": tf.TensorSpec((None, None, None, 1), tf.float32, name="image")}
    return Endpoints(functions, dict.fromkeys(functions, spec), None)


def scores(model, tmp_path, data=None, **kwargs):
    evaluator = translation.evaluator_for(
        data or negatives(), "pixels", cache_dir=tmp_path, **kwargs
    )
    return {name: score.value for name, score in evaluator.scores(model).items()}


def test_images_are_drawn_from_all_of_a_domain(tmp_path):
    """Files come sorted by folder: the first ones would all be of one kind."""
    images = np.repeat(np.arange(100, dtype=np.uint8), 64).reshape(100, *SHAPE)
    x, y = domain("x", images, images), domain("y", pixels(9, 1), pixels(9, 2))
    evaluator = translation.evaluator_for(
        UnpairedSource("toy", x, y), "pixels", metrics=["mmd"], cache_dir=tmp_path
    )
    drawn = evaluator.inputs["x_to_y"].read(tf.range(9, dtype=tf.int64))[0].numpy()[:, 0, 0, 0]
    assert len(set(drawn)) == 9
    assert drawn.max() > 50


def test_the_true_pair_is_the_right_answer(tmp_path):
    held_out = pixels(COUNT, 0) / 255
    identity = np.abs(2 * held_out - 1).mean()
    half = endpoints(lambda image: -image, lambda image: image)
    values = scores(half, tmp_path, metrics=["pairs"])
    assert values["pair_error_40_pixels_x_to_y"] == pytest.approx(0.0, abs=1e-6)
    assert values["pair_error_40_pixels_y_to_x"] == pytest.approx(identity, rel=1e-5)
    assert values["pair_error_40_pixels"] == pytest.approx(identity / 2, rel=1e-5)
    assert values["identity_error_40_pixels"] == pytest.approx(identity, rel=1e-5)


def test_the_way_back_is_measured_from_either_side(tmp_path):
    # X to Y halves, Y to X doubles and clips: back from X to X all is there, from Y it is not.
    model = endpoints(lambda image: image / 2, lambda image: tf.clip_by_value(2 * image, -1, 1))
    values = scores(model, tmp_path, metrics=["cycle"])
    assert values["cycle_error_40_pixels_x_to_y"] == pytest.approx(0.0, abs=1e-6)
    y = 1 - 2 * (pixels(COUNT, 0) / 255)
    lost = 0.5 * np.abs(np.clip(2 * y, -1, 1) / 2 - y).mean()
    assert values["cycle_error_40_pixels_y_to_x"] == pytest.approx(lost, rel=1e-5)


@pytest.mark.parametrize("metrics", [["cycle"], ["mmd", "cycle"], ["pairs"], ["mmd"]])
@pytest.mark.parametrize("direction", [0, 1])
def test_translations_that_are_not_finite_end_it(tmp_path, metrics, direction):
    functions = [tf.identity, tf.identity]
    functions[direction] = lambda image: image * np.nan
    with pytest.raises(RunError, match="a translation is not finite: the model's weights are"):
        scores(endpoints(*functions), tmp_path, metrics=metrics)


@pytest.mark.parametrize(
    ("held_out", "translated"),
    [
        ("xy", "held-out images"),
        ("x", "held-out images of X, training images of Y"),
        ("y", "training images of X, held-out images of Y"),
        ("", "training images"),
    ],
)
def test_the_protocol_says_which_images_are_translated(tmp_path, held_out, translated):
    data = negatives()
    domains = {
        name: dataclasses.replace(domain, test=domain.test if name in held_out else None)
        for name, domain in (("x", data.x), ("y", data.y))
    }
    data = dataclasses.replace(data, **domains, paired=False)
    evaluator = translation.evaluator_for(data, "pixels", metrics=["cycle"], cache_dir=tmp_path)
    assert evaluator.protocol()["translated"] == translated


def test_sets_are_compared_with_the_domain_they_should_belong_to(tmp_path):
    dark = dataclasses.replace(
        negatives(),
        y=domain("dark", pixels(100, 2) // 8, pixels(COUNT, 3) // 8),
        paired=False,
    )
    darken = endpoints(lambda image: (image + 1) / 8 - 1, lambda image: 8 * (image + 1) - 1)
    right = scores(darken, tmp_path, dark, metrics=["mmd"])
    wrong = scores(endpoints(tf.identity, tf.identity), tmp_path, dark, metrics=["mmd"])
    assert right["mmd_40_pixels_x_to_y"] < 0.05 * wrong["mmd_40_pixels_x_to_y"]
    assert right["mmd_40_pixels_y_to_x"] < 0.05 * wrong["mmd_40_pixels_y_to_x"]
    mean = (wrong["mmd_40_pixels_x_to_y"] + wrong["mmd_40_pixels_y_to_x"]) / 2
    assert wrong["mmd_40_pixels"] == pytest.approx(mean)


@pytest.fixture(scope="module")
def judged():
    """Stripes of three classes in both domains, each with its judge."""
    labels, held_out = np.arange(600) % 3, np.arange(300) % 3
    judges = tuple(
        dataclasses.replace(
            source(),
            name=name,
            class_names=("0", "1", "2"),
            train=ArraySplit(striped(labels, seed), labels),
            test=ArraySplit(striped(held_out, seed + 1), held_out),
            fingerprint=name,
        )
        for name, seed in (("judge of x", 0), ("judge of y", 5))
    )
    x, y = (dataclasses.replace(judge, class_names=None) for judge in judges)
    return UnpairedSource("stripes", x, y, make_judges=lambda: judges)


@pytest.fixture(scope="module")
def cache(stripes_classifier, judged, tmp_path_factory):
    """With the classifiers of both domains, of which that of Y is a little surer."""
    folder = tmp_path_factory.mktemp("cache")
    network = keras.models.load_model(stripes_classifier, compile=False)
    for sure, judge in zip((1.0, 1.1), judged.judges, strict=True):
        network.set_weights([sure * weight for weight in network.get_weights()])
        network.save(folder / f"classifier-{judge.fingerprint}.keras")
    return folder


@pytest.mark.slow
def test_translations_that_keep_their_class_say_so(judged, cache):
    turn = endpoints(tf.identity, lambda image: tf.reverse(image, [0]))
    evaluator = translation.evaluator_for(judged, metrics=["classes"], cache_dir=cache)
    values = {name: score.value for name, score in evaluator.scores(turn).items()}
    assert values["label_accuracy_300_classifier_x_to_y"] == 1.0
    batches = shuffled(judged.x.test, 0, 300).indices.reshape(-1, translation.BATCH_SIZE) % 3
    right = (batches == batches[:, ::-1]).mean()  # about a third
    assert values["label_accuracy_300_classifier_y_to_x"] == pytest.approx(right)
    assert values["label_accuracy_300_classifier"] == pytest.approx((1 + right) / 2)
    assert "classifiers right on 100.0% of X and 100.0% of Y" in evaluator.in_words()
    assert evaluator.seconds > 0
    floor = evaluator.floor()
    assert floor["label_accuracy_300_classifier_y_to_x"].value > 0.99
    assert evaluator.protocol()["translated"] == "held-out images"
    # Scores are of other features as soon as either domain's classifier is another.
    prints = {evaluator.targets[each].features.fingerprint for each in ("x_to_y", "y_to_x")}
    assert len(prints) == 2
    assert all(each in evaluator.features_fingerprint for each in prints)


@pytest.mark.slow
def test_of_few_translations_what_can_be_made_is_made(judged, cache):
    evaluator = translation.evaluator_for(judged, count=100, cache_dir=cache)
    assert list(evaluator.left_out) == ["frechet"]
    assert evaluator.supported_metrics(endpoints(tf.identity, tf.identity)) == evaluator.metrics
    scores, floor = evaluator.scores(endpoints(tf.identity, tf.identity)), evaluator.floor()
    for name in ("mmd", "label_accuracy", "sharpness"):
        assert [key for key in scores if key.startswith(f"{name}_100")]
    assert not [key for key in (*scores, *floor) if key.startswith("frechet")]
    worst = scores["label_accuracy_worst_100_classifier_x_to_y"]
    drawn = np.bincount(shuffled(judged.x.test, 0, 100).indices % 3)
    assert worst.value == 1.0
    assert worst.note in {f"class {label}: {n} of {n}" for label, n in enumerate(drawn)}
    others = translation.evaluator_for(judged, "pixels", 100, cache_dir=cache)
    assert others.left_out == {"classes": "needs classifier features, not pixels"}
    assert "classes" not in others.metrics
    with pytest.raises(InputError, match="frechet needs more images than features"):
        translation.evaluator_for(judged, count=100, metrics=["frechet"], cache_dir=cache)


def test_rows_of_a_comparison_show_both_directions(tmp_path):
    evaluator = translation.evaluator_for(
        negatives(), "pixels", metrics=["cycle"], cache_dir=tmp_path
    )
    model = endpoints(lambda image: -image, lambda image: -image)
    real, made = comparison.real_rows(evaluator, 5), comparison.model_rows(evaluator, model, 5)
    assert list(real) == ["real x", "real y"]
    assert list(made) == ["x to y", "y to x"]
    drawn = evaluator.inputs["x_to_y"].indices[:5]
    np.testing.assert_array_equal(real["real x"], pixels(COUNT, 0)[drawn])
    np.testing.assert_array_equal(made["x to y"], real["real y"])
    (picture,) = comparison.score_pictures(evaluator, model).values()
    assert picture.shape == (4 * 8, 10 * 8, 1)
    assert comparison.projector_points(evaluator, model, 5) is None


def test_fewer_images_make_shorter_rows(tmp_path):
    judge = translation.evaluator_for(
        negatives(), "pixels", count=6, metrics=["cycle"], cache_dir=tmp_path
    )
    model = endpoints(lambda image: -image, lambda image: -image)
    rows = comparison.real_rows(judge, 10) | comparison.model_rows(judge, model, 10)
    assert {len(row) for row in rows.values()} == {6}
    (picture,) = comparison.score_pictures(judge, model).values()
    np.testing.assert_array_equal(picture[:8, -8:], rows["real x"][5])
    assert picture.shape == (4 * 8, 6 * 8, 1)


def test_the_kind_of_evaluator_follows_the_data(tmp_path):
    found = translation.evaluator_for(source(), "pixels", 10, ["mmd"], cache_dir=tmp_path)
    assert isinstance(found, Evaluator)
    pairs = translation.evaluator_for(negatives(), "pixels", cache_dir=tmp_path)
    assert pairs.left_out == {}
    assert pairs.features_fingerprint == found.features_fingerprint  # one kind for both domains


def test_refusals(tmp_path, judged):
    with pytest.raises(InputError, match=r"metrics of translations must be of .*: parzen"):
        scores(endpoints(tf.identity, tf.identity), tmp_path, metrics=["parzen"])
    with pytest.raises(InputError, match=r"metrics of translations must be of .*: none"):
        scores(endpoints(tf.identity, tf.identity), tmp_path, metrics=[])
    with pytest.raises(InputError, match=r"count must be a positive integer. Received: count=0"):
        scores(endpoints(tf.identity, tf.identity), tmp_path, count=0)
    with pytest.raises(InputError, match="pairs cannot be measured: stripes has no true pairs"):
        translation.evaluator_for(judged, "pixels", metrics=["pairs"], cache_dir=tmp_path)
    with pytest.raises(InputError, match="does not translate x to y: it answers generate"):
        scores(Endpoints({"generate": None}, {}, None), tmp_path, metrics=["cycle"])
