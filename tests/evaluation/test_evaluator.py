"""Scores with their protocol: what they compare, what they are called, what is refused."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data.arrays import ArraySplit
from keras_gans.errors import InputError, RunError
from keras_gans.evaluation.evaluator import Evaluator, default_metric
from keras_gans.metrics import frechet, registry
from keras_gans.metrics.estimate import Estimate
from keras_gans.serving.endpoints import Endpoints
from tests.metrics.test_classifier import source, striped

COUNT = 250


def large_source(test=True, classes=("0", "1", "2")):
    """Stripes enough for the 128 features of a classifier on every side."""
    labels = np.arange(900) % 3
    held_out = np.arange(600) % 3
    return dataclasses.replace(
        source(),
        class_names=classes,
        train=ArraySplit(striped(labels, 0), labels if classes else None),
        test=ArraySplit(striped(held_out, 1), held_out if classes else None) if test else None,
        fingerprint=f"large{test}{classes is None}",
    )


def sampler(seed=2, class_names=("0", "1", "2"), shown=lambda label: label, scale=1.0):
    """Fresh stripes of the classes `shown` for those that were asked for."""

    def function(seed, label=None):
        wanted = seed.numpy() % 3 if label is None else label.numpy()
        rows = [
            striped(np.array([shown(w)]), s)[0] for w, s in zip(wanted, seed.numpy(), strict=True)
        ]
        images = np.stack(rows).astype(np.float32) / np.float32(127.5) - np.float32(1.0)
        return {"image": tf.constant(scale * images)}

    return Endpoints({"generate": function}, {}, class_names)


def evaluator(cache, data=None, **kwargs):
    return Evaluator(data or large_source(), count=COUNT, cache_dir=cache, **kwargs)


@pytest.fixture(scope="module")
def cache(stripes_classifier, tmp_path_factory):
    """With a classifier of the stripes, also of those without a test split: they are the same."""
    folder = tmp_path_factory.mktemp("cache")
    for test in (True, False):
        fingerprint = large_source(test).fingerprint
        shutil.copy(stripes_classifier, folder / f"classifier-{fingerprint}.keras")
    return folder


@pytest.fixture
def new_cache(cache, tmp_path):
    """Nothing but the classifiers."""
    for path in cache.glob("classifier-*"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def scored(cache):
    judge = evaluator(cache)
    return judge, judge.scores(sampler()), judge.floor()


@pytest.mark.slow
def test_classes_are_asked_for_by_name(cache):
    """Of a model that has them in another order, as those of version 0.1.0 may have."""
    judge = evaluator(cache, metrics=["classes"])
    for names in (("2", "0", "1"), ("x", "0", "1", "1.5", "2")):
        model = sampler(class_names=names, shown=lambda label, names=names: int(names[label]))
        assert judge.scores(model)["label_accuracy_250_classifier"].value > 0.95
    assert judge.samples(model, 6)[1].tolist() == judge.real.training.labels[:6].tolist()


@pytest.mark.slow
def test_names_carry_the_protocol(scored):
    names = set(scored[1])
    assert {
        "frechet_250_classifier",
        "mmd_250_classifier",
        "inception_score_250_classifier",
        "precision_250_classifier",
        "recall_250_classifier",
        "density_250_classifier",
        "coverage_250_classifier",
        "label_accuracy_250_classifier",
        "label_accuracy_worst_250_classifier",
        "classes_covered_250_classifier",
        "parzen_250_pixels",
        "copied_share_250_pixels",
        "sharpness_250_pixels",
    } <= names
    assert names == set(scored[2])
    assert registry.score_name("fid", 10_000, "inception_2015") == "fid_10k_inception_2015"
    assert registry.score_name("parzen", 10_000, "inception_2015") == "parzen_10k_pixels"
    for name in names:
        assert registry.score_name(registry.base_name(name), COUNT, "classifier") in names


@pytest.mark.slow
def test_samples_like_the_real_images_score_like_real_images(scored):
    _, scores, floor = scored
    value = {name: score.value for name, score in scores.items()}
    real = {name: score.value for name, score in floor.items()}
    assert value["label_accuracy_250_classifier"] == 1.0
    assert value["classes_covered_250_classifier"] == 3
    assert value["frechet_250_classifier"] == pytest.approx(real["frechet_250_classifier"], rel=0.3)
    assert value["sharpness_250_pixels"] == pytest.approx(real["sharpness_250_pixels"], rel=0.02)
    error = scores["parzen_250_pixels"].standard_error
    assert abs(value["parzen_250_pixels"] - real["parzen_250_pixels"]) < 4 * error
    # Training images are copies of training images; new ones are not.
    assert real["copied_share_250_pixels"] == 1.0
    assert value["copied_share_250_pixels"] < 0.1


@pytest.mark.slow
def test_the_frechet_distance_is_that_of_the_very_features(scored, cache):
    judge, scores, _ = scored
    images, labels = judge.samples(sampler(), COUNT)
    np.testing.assert_array_equal(labels, judge.real.training.labels[:COUNT])
    rows = judge.describe(images)["features"]
    reference, _ = judge.source.test.read(tf.constant(judge.real.reference.indices))
    real = judge.describe(reference.numpy() / np.float32(127.5) - np.float32(1.0))["features"]
    expected = frechet.distance(
        frechet.Moments.from_features(real), frechet.Moments.from_features(rows)
    )
    assert scores["frechet_250_classifier"].value == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_wrong_classes_show_in_their_scores(cache):
    judge = evaluator(cache, metrics=["frechet", "classes"])
    right = judge.scores(sampler())
    wrong = judge.scores(sampler(shown=lambda label: 0))
    assert wrong["label_accuracy_250_classifier"].value == pytest.approx(1 / 3, abs=0.02)
    assert wrong["classes_covered_250_classifier"].value == 1
    assert wrong["class_entropy_250_classifier"].value == pytest.approx(0, abs=1e-9)
    assert wrong["frechet_250_classifier"].value > 10 * right["frechet_250_classifier"].value


@pytest.mark.slow
def test_a_rare_class_that_is_always_wrong_is_named(cache):
    """One in 75 images is of it: the mean says 98.7 %, whatever shows for it."""
    labels = np.where(np.arange(900) % 75, np.arange(900) % 2, 2)
    train = ArraySplit(striped(labels, 0), labels)
    rare = dataclasses.replace(large_source(), train=train, class_names=("a", "b", "rare"))
    judge = evaluator(cache, rare, metrics=["classes"])
    scores = judge.scores(sampler(class_names=rare.class_names, shown=lambda label: label % 2))
    asked = np.count_nonzero(judge.real.training.labels[:COUNT] == 2)
    assert 0 < asked < 10
    assert scores["label_accuracy_250_classifier"].value == pytest.approx(1 - asked / COUNT)
    worst = scores["label_accuracy_worst_250_classifier"]
    assert (worst.value, worst.note) == (0.0, f"class rare: 0 of {asked}")
    fair = judge.scores(sampler(class_names=rare.class_names))
    assert fair["label_accuracy_worst_250_classifier"].value == 1.0


@pytest.mark.slow
def test_scores_repeat_exactly_and_real_features_are_made_once(scored, cache):
    written = {path: path.stat().st_mtime_ns for path in cache.rglob("*.npy")}
    assert written
    assert evaluator(cache).scores(sampler()) == scored[1]
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.npy")} == written
    assert not list(cache.glob(".tmp-*"))


@pytest.mark.slow
def test_a_model_without_classes_has_no_label_accuracy(cache):
    scores = evaluator(cache, metrics=["classes"]).scores(sampler(class_names=None))
    assert not [name for name in scores if name.startswith("label_accuracy")]
    assert scores["classes_covered_250_classifier"].value == 3


@pytest.mark.slow
def test_without_labels_random_features_and_pixels_are_compared(cache):
    judge = evaluator(cache, large_source(classes=None))
    scores = judge.scores(sampler(class_names=None))
    assert {"frechet_250_random", "mmd_250_random", "parzen_250_pixels"} <= set(scores)
    assert not [name for name in scores if name.startswith(("inception_score", "class"))]


@pytest.mark.slow
def test_without_a_test_split_two_halves_are_compared(cache):
    judge = evaluator(cache, large_source(test=False))
    assert not set(judge.real.training.indices) & set(judge.real.reference.indices)
    assert (judge.real.training.size, judge.real.reference.size) == (450, 450)
    protocol = judge.protocol()
    assert protocol["compared_with"] == "a half of the images"
    assert protocol["real_images"] == 450
    assert protocol["floor_images"] == COUNT
    assert judge.floor()["frechet_250_classifier"].value > 0


@pytest.mark.slow
def test_the_protocol_says_everything_beside_the_model(scored):
    protocol = scored[0].protocol()
    assert protocol["generated_images"] == COUNT
    assert protocol["classifier_accuracy"] == 1.0
    names = {"compared_with", "data_fingerprint", "resize", "first_seed", "versions"}
    assert names <= set(protocol)
    assert protocol["versions"]["tensorflow"] == tf.__version__


@pytest.mark.slow
def test_fewer_samples_than_features_are_refused_with_the_minimum(cache):
    with pytest.raises(InputError, match=r"frechet needs .*at least 129 samples.*Received: 128 s"):
        Evaluator(large_source(), count=128, metrics=["frechet"], cache_dir=cache)
    scores = Evaluator(large_source(), count=129, metrics=["frechet"], cache_dir=cache).scores(
        sampler()
    )
    assert np.isfinite(scores["frechet_129_classifier"].value)
    few = Evaluator(large_source(), count=20, metrics=["mmd"], cache_dir=cache)
    assert set(few.scores(sampler())) == {"mmd_20_classifier"}


@pytest.mark.slow
def test_what_cannot_be_made_is_left_out_with_its_reason(cache):
    """Unless it was asked for by name."""
    judge = Evaluator(large_source(), count=128, cache_dir=cache)
    (name,) = judge.left_out
    assert (name, name in judge.metrics) == ("frechet", False)
    assert "at least 129 samples and as many real images for classifier" in judge.left_out[name]
    scores, floor = judge.scores(sampler()), judge.floor()
    assert {"mmd_128_classifier", "label_accuracy_128_classifier"} <= set(scores)
    assert set(scores) == set(floor)
    assert not [key for key in scores if key.startswith("frechet")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "left_out"),
    [
        (2, {"frechet", "mmd", "precision_recall", "density_coverage", "parzen"}),
        (10, {"frechet", "density_coverage"}),
        (40, {"frechet"}),
    ],
)
def test_of_a_handful_of_images_some_scores_are_made(tmp_path, count, left_out):
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), np.uint8)
    few = {"train": ArraySplit(images), "test": None, "class_names": None}
    data = dataclasses.replace(source(), **few)
    judge = Evaluator(data, count=50, cache_dir=tmp_path)
    scores, floor = judge.scores(sampler(class_names=None)), judge.floor()
    assert set(judge.left_out) == left_out
    assert {"copied_share_50_pixels", "sharpness_50_pixels"} <= set(scores) & set(floor)
    assert all(np.isfinite(score.value) for score in (*scores.values(), *floor.values()))
    with pytest.raises(InputError):
        Evaluator(data, count=50, metrics=list(left_out), cache_dir=tmp_path).scores(
            sampler(class_names=None)
        )


@pytest.mark.parametrize(
    ("metrics", "cause"),
    [
        (["cycle"], "cycle cannot be measured of stripes: only translations between two"),
        (["mmd", "pairs", "cycle"], "pairs, cycle cannot be measured of stripes"),
        ([], "metrics must be of frechet, .*Received: none"),
        (["is"], "metrics must be of frechet, .*Received: is"),
    ],
)
def test_names_that_are_not_measured_here_are_refused(tmp_path, metrics, cause):
    """Before anything is made: with no score at all an evaluation would end well."""
    with pytest.raises(InputError, match=cause):
        evaluator(tmp_path / "cache", metrics=metrics)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("count", [0, -3, 50.0, "50", True])
def test_counts_that_are_none_are_refused(tmp_path, count):
    with pytest.raises(InputError, match=r"count must be a positive integer. Received: count="):
        Evaluator(large_source(), "pixels", count, cache_dir=tmp_path)


def test_a_count_may_be_an_integer_of_numpy(tmp_path):
    options = "pixels", np.int64(9), ["mmd"]
    judge = Evaluator(large_source(classes=None), *options, cache_dir=tmp_path)
    assert set(judge.scores(sampler(class_names=None))) == {"mmd_9_pixels"} == set(judge.floor())
    assert json.loads(json.dumps(judge.protocol()))["generated_images"] == 9


@pytest.mark.parametrize(
    ("classes", "left_out"), [(("0", "1", "2"), ["inception_score", "classes"]), (None, [])]
)
def test_what_other_features_do_not_tell_of_labelled_images_has_a_line(tmp_path, classes, left_out):
    judge = evaluator(tmp_path, large_source(classes=classes), feature_name="random")
    assert list(judge.left_out) == left_out
    assert set(judge.left_out.values()) <= {"needs classifier features, not random"}
    assert not set(judge.metrics) & {"inception_score", "classes", "fid", "kid", "modes", "cycle"}


@pytest.mark.slow
def test_refusals(cache):
    with pytest.raises(InputError, match="inception_score cannot be made from pixels"):
        evaluator(cache, feature_name="pixels", metrics=["frechet", "inception_score"])
    with pytest.raises(InputError, match=r"fid is not measured with pixels .* called frechet: fid"):
        evaluator(cache, feature_name="pixels", metrics=["fid"])
    with pytest.raises(InputError, match="the model has 2 classes, stripes has 3"):
        evaluator(cache).scores(sampler(class_names=("0", "1")))
    small = Endpoints(
        {"generate": lambda seed, label: {"image": tf.zeros((len(seed), 4, 4, 1))}},
        {},
        ("0", "1", "2"),
    )
    with pytest.raises(InputError, match=r"samples are of shape \[4, 4, 1\], .* \[8, 8, 1\]"):
        evaluator(cache).scores(small)
    with pytest.raises(RunError, match="a sample is not finite"):
        evaluator(cache).scores(sampler(scale=np.nan))


@pytest.mark.slow
def test_the_floor_is_made_once_for_a_protocol(new_cache):
    first = evaluator(new_cache, metrics=["mmd"]).floor()
    (path,) = new_cache.glob("floor-*.json")
    again = evaluator(new_cache, metrics=["mmd"])
    assert again.floor() == first
    path.write_text(json.dumps({"mmd_250_classifier": {"value": 5.0, "standard_error": None}}))
    assert again.floor() == {"mmd_250_classifier": Estimate(5.0)}  # it was read
    path.write_text("[1]")
    with pytest.raises(InputError, match=r"floor-.*json is damaged: delete it"):
        again.floor()
    assert set(evaluator(new_cache, metrics=["frechet"]).floor()) == {"frechet_250_classifier"}


def test_features_that_are_others_have_a_floor_of_their_own(tmp_path):
    """As those of a classifier fitted anew, which may be right as often as the one before."""
    judge = Evaluator(large_source(classes=None), "pixels", 9, ["mmd"], cache_dir=tmp_path)
    protocol, _ = judge.protocol(), judge.floor()
    judge.features = dataclasses.replace(judge.features, fingerprint="pixels of another day")
    assert judge.protocol() != protocol
    judge.floor()
    assert len(list(tmp_path.glob("floor-*.json"))) == 2


@pytest.mark.slow
def test_a_damaged_cache_is_refused_with_its_name(new_cache):
    judge = evaluator(new_cache, metrics=["mmd"])
    judge.scores(sampler())
    (path,) = new_cache.glob("*-reference-*/features.npy")
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match="is damaged: delete it"):
        evaluator(new_cache, metrics=["mmd"]).scores(sampler())


def test_which_metric_chooses_by_default():
    assert default_metric(large_source(), "classifier", 2000) == "frechet"
    assert default_metric(large_source(), "classifier", 128) == "mmd"
    assert default_metric(source(), "classifier", 2000) == "mmd"  # 90 real images
    assert default_metric(large_source(), "pixels", 2000) == "mmd"
