"""Trained models opened from Python: a run's folder and an export give the same."""

import functools
import shutil
import textwrap

import numpy as np
import pytest

import keras_gans as kg
from keras_gans import training
from keras_gans.recipes import RECIPES
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.sampling import Sampler
from tests.training.toys import finished_run, save_untrained

pytestmark = pytest.mark.slow
opened = functools.cache(kg.load)  # models once for all tests that only ask them


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    recipe = RECIPES["autoencoder"](units=(4,), latent_dim=3, epochs=1, batch_size=1024)
    return finished_run(recipe, tmp_path_factory.mktemp("autoencoder"), save_untrained)


def images_of(shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


# Samples -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1], ids=["run", "export"])
def test_samples_are_those_of_the_seeds_and_labels(cgan, place):
    model = opened(cgan[place])
    assert model.class_names == ("0", "1", "2")
    sampler = Sampler.from_endpoints(model.endpoints)
    made = model.sample(range(5))
    assert (made.shape, made.dtype) == ((5, 8, 8, 1), np.float32)
    assert np.abs(made).max() <= 1.0
    # All classes in turn, unless one is named for all, or one for each.
    np.testing.assert_array_equal(made, sampler.images(range(5), [0, 1, 2, 0, 1]))
    expected = sampler.images(range(2), [1, 1])
    for labels in ("1", 1, ["1", 1], np.array([1, 1])):
        np.testing.assert_array_equal(model.sample([0, 1], labels), expected)
    two = model.sample([0, 1], [2, "0"])
    np.testing.assert_array_equal(two, sampler.images(range(2), [2, 0]))


def test_a_run_and_its_export_make_the_same_images(cgan):
    run, export = (opened(folder).sample(range(10)) for folder in cgan[:2])
    np.testing.assert_allclose(run, export, atol=1e-5)


def test_an_export_needs_nothing_of_its_run(cgan, tmp_path):
    copy = shutil.copytree(cgan[1], tmp_path / "alone")
    made = kg.load(copy).sample(range(3))
    np.testing.assert_array_equal(made, opened(cgan[1]).sample(range(3)))


def test_a_checkpoint_of_a_run_can_be_chosen(cgan, tmp_path):
    run = shutil.copytree(cgan[0], tmp_path / "run")
    best = training.load_checkpoint(run / "checkpoint.keras")
    best.average.set_weights([weight + 0.1 for weight in best.average.get_weights()])
    best.save(run / "best.keras")
    by_name = {which: kg.load(run, which).sample([0], 0) for which in (None, "best", "last")}
    np.testing.assert_array_equal(by_name[None], by_name["best"])
    np.testing.assert_array_equal(by_name["last"], opened(cgan[0]).sample([0], 0))
    assert not np.array_equal(by_name["best"], by_name["last"])


@pytest.mark.parametrize(
    "seeds", [3, [], [[1]], [-1], [2**31], [0.5], ["1"]], ids=lambda seeds: repr(seeds)
)
def test_seeds_that_are_none_are_refused(cgan, seeds):
    with pytest.raises(kg.InputError, match=r"^seeds must be a list of integers from 0 to .*Rec"):
        opened(cgan[1]).sample(seeds)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("3", r"a label must be one of 0, 1, 2\. Received: 3"),
        (-1, r"Received: -1"),
        (1.0, r"Received: 1.0"),
        (["cat", 0], r"Received: cat"),
        ([0, 1, 2], r"labels must be one class, or one for each of 2 seeds\. Received: 3 labels"),
    ],
)
def test_labels_that_are_none_are_refused(cgan, labels, message):
    with pytest.raises(kg.InputError, match=message):
        opened(cgan[1]).sample([0, 1], labels)


def test_a_name_or_an_index_where_no_name_is_a_number():
    names = ("ant", "bee", "cow")
    found = [training.label_index(names, label) for label in ("bee", "1", 1, np.int64(1))]
    assert found == [1, 1, 1, 1]
    for label in (3, "3", -1, "1.0", 1.0, "dog", "", "²", "9" * 5000, None):
        with pytest.raises(kg.InputError, match=r"an index from 0 to 2 or one of ant, bee, cow\. "):
            training.label_index(names, label)
    with pytest.raises(kg.InputError, match=r"this model takes no label\. Received: 3"):
        training.label_index(None, 3)


@pytest.mark.parametrize(
    ("names", "label", "index"),
    [
        (tuple(f"{number:02d}" for number in range(1, 13)), "1", 0),
        (tuple(f"{number:02d}" for number in range(1, 13)), 12, 11),
        (tuple(str(number) for number in range(1, 27)), 1, 0),
        (("10", "20"), 20, 1),
        (("7", "3", "ant"), 3, 1),
        (("7", "3", "ant"), "ant", 2),
        (("1", "01"), "01", 1),
        (("-1", "0", "1"), -1, 0),
        (("-1", "0", "1"), "1", 2),
    ],
)
def test_names_that_are_numbers_are_found_by_value(names, label, index):
    assert training.label_index(names, label) == index


@pytest.mark.parametrize(
    ("names", "label"),
    [(("01", "02", "12"), 0), (("1", "26"), 2), (("7", "3", "ant"), 0), (("1", "01"), "001")],
)
def test_names_that_are_numbers_are_never_an_index(names, label):
    with pytest.raises(kg.InputError, match=f"a label must be one of {', '.join(names)}. Rec"):
        training.label_index(names, label)


# Codes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1], ids=["run", "export"])
def test_images_are_encoded_and_decoded(autoencoder, place):
    model = opened(autoencoder[place])
    images = images_of((120, 28, 28, 1))  # more than a batch
    codes = model.encode(images)
    assert (codes.shape, codes.dtype) == ((120, 3), np.float32)
    decoded = model.decode(codes)
    again = model.endpoints["reconstruct"](image=images[110:])["image"].numpy()
    np.testing.assert_allclose(decoded[110:], again, atol=1e-5)
    assert model.class_names is None


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("encode", np.zeros((2, 8, 8, 1)), r"^encode takes images of shape \[n, 28, 28, 1\]\. Re"),
        ("encode", np.zeros((0, 28, 28, 1)), r"Received: \[0, 28, 28, 1\]"),
        ("encode", np.full((1, 28, 28, 1), 255), r"images must be of values from -1 to 1 .*255"),
        ("encode", np.full((1, 28, 28, 1), np.nan), r"images must be finite"),
        ("decode", np.zeros((2, 4)), r"^decode takes latents of shape \[n, 3\]\. Received: \[2, 4"),
        ("decode", np.full((2, 3), np.inf), r"latents must be finite"),
    ],
)
def test_what_cannot_be_encoded_or_decoded_is_refused(autoencoder, name, values, message):
    with pytest.raises(kg.InputError, match=message):
        getattr(opened(autoencoder[1]), name)(values)


# Translations ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1], ids=["run", "export"])
def test_images_are_translated_in_both_directions(cyclegan, place):
    model = opened(cyclegan[place])
    images = images_of((3, 8, 12, 3))
    for direction, endpoint in (("x-to-y", "translate_x_to_y"), ("y-to-x", "translate_y_to_x")):
        made = model.translate(images, direction)
        expected = model.endpoints[endpoint](image=images)["image"].numpy()
        np.testing.assert_allclose(made, expected, atol=1e-5)
    np.testing.assert_array_equal(model.translate(images), model.translate(images, "x-to-y"))
    # Sides that the networks do not take.
    assert model.translate(images_of((1, 9, 6, 3))).shape == (1, 9, 6, 3)
    with pytest.raises(
        kg.InputError, match=r"^direction must be one of x-to-y, y-to-x\. Rec.*'up'"
    ):
        model.translate(images, "up")
    with pytest.raises(kg.InputError, match=r"takes images of shape \[n, n, n, 3\]\. Received: "):
        model.translate(images[..., :1])


def test_what_a_model_cannot_is_refused(cgan, autoencoder, cyclegan):
    images = images_of((1, 8, 8, 1))
    for folders, call in (
        (cgan, lambda model: model.encode(images)),
        (cgan, lambda model: model.decode([[0.0]])),
        (cgan, lambda model: model.translate(images)),
        (autoencoder, lambda model: model.sample([0])),
        (cyclegan, lambda model: model.sample([0])),
    ):
        with pytest.raises(kg.InputError, match=r"^this model does not \w+"):
            call(opened(folders[1]))


# Scores ------------------------------------------------------------------------------------------


def test_a_run_and_its_export_get_the_same_scores(cgan, data, tmp_path):
    settings = {"count": 20, "metrics": ["mmd"], "features": "pixels", "cache_dir": tmp_path}
    scores = opened(cgan[0]).score(**settings)
    ((name, estimate),) = scores.items()
    assert name.startswith("mmd_20_pixels")
    assert np.isfinite(estimate.value)
    other = opened(cgan[1]).score(dataset=f"npz:{data}", **settings)
    assert other[name].value == pytest.approx(estimate.value, rel=1e-3, abs=1e-5)


def test_scores_of_reconstructions_and_of_translations(autoencoder, cyclegan, domains, tmp_path):
    (score,) = (
        opened(autoencoder[0]).score(20, ["reconstruction"], "pixels", cache_dir=tmp_path).values()
    )
    assert 0.0 < score.value < 1.0
    settings = {"metrics": ["cycle"], "features": "pixels", "cache_dir": tmp_path}
    run = opened(cyclegan[0]).score(20, **settings)
    export = opened(cyclegan[1]).score(20, dataset=domains, image_size=8, **settings)
    assert set(run) == set(export)
    assert {name.removesuffix("_x_to_y") for name in run if name.endswith("_x_to_y")} < set(run)
    for name, score in run.items():
        assert export[name].value == pytest.approx(score.value, rel=1e-3)


def test_only_an_export_is_told_its_data(cgan):
    with pytest.raises(kg.InputError, match="is a run and knows its data: leave dataset, resize"):
        opened(cgan[0]).score(dataset="digits", resize="pad")
    with pytest.raises(
        kg.InputError, match="is an export: name the data it was trained on, as dat"
    ):
        opened(cgan[1]).score()


# Opening -----------------------------------------------------------------------------------------


def test_what_is_neither_run_nor_export_is_refused(cgan, tmp_path):
    with pytest.raises(kg.InputError, match="is neither a run nor an export: train one"):
        kg.load(tmp_path / "none")
    with pytest.raises(kg.InputError, match=str(tmp_path)):
        kg.load(tmp_path)
    with pytest.raises(kg.InputError, match="an export has no checkpoints"):
        kg.load(cgan[1], checkpoint="best")
    assert isinstance(opened(cgan[0]).endpoints, Endpoints)


def test_the_docstrings_example_runs(cgan, tmp_path, monkeypatch):
    shutil.copytree(cgan[1], tmp_path / "saved_models" / "cgan")
    monkeypatch.chdir(tmp_path)
    code = textwrap.dedent(kg.load.__doc__.split("Example:")[1])
    shorter = code.replace('labels="7"', 'labels="2"')  # of three classes
    assert shorter != code
    names = {"kg": kg}
    exec(compile(shorter, "load", "exec"), names)
    assert names["images"].shape == names["sevens"].shape == (20, 8, 8, 1)
