"""Runs that begin from others: with their weights, for longer, as a copy, with data elsewhere."""

import dataclasses
import shutil

import numpy as np
import pytest

from keras_gans import training
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from tests.apps.processes import assert_same_state
from tests.training.toys import recipe_of, save_untrained, whole_run, without_graph

# One step an epoch.
SETTINGS = {"batch_size": 64, "evaluate_epochs": 0, "sample_epochs": 100}
CONSTANT = {"learning_rate_decay": "none", **SETTINGS}


def prepared(variant, data, **settings):
    return training.prepare(recipe_of(variant, data, **{**CONSTANT, **settings}))


def texts(run):
    return [text for _, text in run.reasons]


def equal(network, other):
    pairs = zip(network.weights, other.weights, strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.slow
def test_weights_of_a_run_are_taken_and_nothing_else(cgan, data, tmp_path):
    directory, model = cgan.run, cgan.model
    run = training.begin_from(prepared("cgan", data, seed=1), directory)
    for name in ("generator", "discriminator", "average"):
        assert equal(getattr(run.model, name), getattr(model, name))
    assert run.model.steps_done == 0
    assert f"with the weights of {directory}" in texts(run)
    # A run that was killed before its first checkpoint begins with them as well.
    folder = training.create(run, tmp_path)
    again = training.reopen(run.recipe, folder)
    assert equal(again.model.discriminator, model.discriminator)


@pytest.mark.slow
def test_what_does_not_fit_is_named(cgan, data):
    """Images of twice the size have a stage more, whose layers begin anew."""
    directory, model = cgan.run, cgan.model
    larger = {"image_size": 16, "filters": (4, 4, 4)}
    run = training.begin_from(prepared("cgan", data, **larger), directory)
    text = next(text for text in texts(run) if text.startswith("generator: "))
    assert " of " in text
    assert "anew: " in text
    kernels = [
        [np.array(w) for w in each.generator.weights if "transpose" in w.path and w.shape[-1] == 4]
        for each in (model, run.model)
    ]
    assert any(np.array_equal(kernels[0][0], kernel) for kernel in kernels[1])


@pytest.mark.slow
def test_an_export_gives_the_generator(cgan, data):
    run = training.begin_from(prepared("cgan", data, seed=1), cgan.export)
    average = cgan.model.average
    assert equal(run.model.generator, average)
    assert equal(run.model.average, average)
    assert "discriminator: anew, as nothing there fits it" in texts(run)


@pytest.mark.slow
def test_an_export_of_two_generators_gives_each_its_own(cyclegan):
    """Their layers are of one kind and one size."""
    other = training.prepare(dataclasses.replace(cyclegan.recipe, seed=1))
    run, earlier = training.begin_from(other, cyclegan.export), cyclegan.model
    assert equal(run.model.generator_g, earlier.generator_g)
    assert equal(run.model.generator_f, earlier.generator_f)
    assert not equal(run.model.generator_f, earlier.generator_g)


@pytest.mark.slow
def test_another_kind_of_model_is_refused(cgan, data, tmp_path):
    dcgan = prepared("dcgan", data)
    with pytest.raises(InputError, match="of another kind of model, ConditionalGAN"):
        training.begin_from(dcgan, cgan.run)
    vae = RECIPES["vae"](dataset=f"npz:{data}", epochs=1, batch_size=8)
    with pytest.raises(InputError, match="of another kind of model or of other widths"):
        training.begin_from(training.prepare(vae), cgan.export)
    with pytest.raises(InputError, match="neither a run nor an export"):
        training.begin_from(dcgan, tmp_path / "none")


@pytest.mark.slow
def test_a_complete_run_that_is_trained_longer_is_a_longer_run(cgan, data, tmp_path):
    directory = shutil.copytree(cgan.run, tmp_path / "longer")
    recipe = dataclasses.replace(cgan.recipe, epochs=2)
    training.check_settings(recipe, directory)
    assert "2 epochs in place of 1" in training.changes(recipe, directory)[0]
    run = training.reopen(recipe, directory)
    assert run.model.steps_done == 1
    training.remember(run, directory)
    assert not training.is_complete(directory)
    training.train(without_graph(run), directory)
    _, whole = whole_run(recipe, tmp_path)
    assert_same_state(run.model, whole)
    assert training.saved_settings(directory)["epochs"] == 2


@pytest.mark.slow
def test_schedules_are_those_of_the_longer_run(data, tmp_path):
    recipe = recipe_of("cgan", data, epochs=1, **SETTINGS)
    run = training.prepare(recipe)
    for variable in (run.model.step, *(o.iterations for o in run.model.optimizers.values())):
        variable.assign(1)  # as after its only step
    directory = training.create(run, tmp_path)
    save_untrained(run, directory)
    longer = training.reopen(dataclasses.replace(recipe, epochs=4), directory)
    assert longer.model.steps_done == 1
    # Killed now, it goes on the same.
    training.remember(longer, directory)
    again = training.reopen(longer.recipe, directory)
    for run in (longer, again):
        rate = run.model.generator_optimizer.learning_rate
        assert float(rate) == pytest.approx(0.75 * recipe.generator_learning_rate)


@pytest.mark.slow
def test_fewer_epochs_and_other_settings_are_refused(cgan):
    directory, recipe = cgan.run, cgan.recipe
    for changed in ({"seed": 5}, {"batch_size": 16}):
        with pytest.raises(InputError, match="begun with other settings"):
            training.check_settings(dataclasses.replace(recipe, **changed), directory)


@pytest.mark.slow
def test_data_that_moved_are_accepted_and_remembered(cgan, data, tmp_path):
    directory = shutil.copytree(cgan.run, tmp_path / "run")
    moved = shutil.copy(data, tmp_path / "moved.npz")
    recipe = dataclasses.replace(cgan.recipe, dataset=f"npz:{moved}")
    training.check_settings(recipe, directory)
    run = training.reopen(recipe, directory)
    training.remember(run, directory)
    assert training.saved_settings(directory)["dataset"] == f"npz:{moved}"
    arrays = dict(np.load(data))
    arrays["x_train"] = arrays["x_train"][::-1]
    np.savez(tmp_path / "other.npz", **arrays)
    other = dataclasses.replace(recipe, dataset=f"npz:{tmp_path / 'other.npz'}")
    with pytest.raises(InputError, match=r"is not what .* began with"):
        training.reopen(other, directory)


@pytest.mark.slow
def test_a_copy_has_another_name_and_leaves_the_first_alone(cgan, tmp_path):
    first = shutil.copytree(cgan.run, tmp_path / "first")
    copy = training.copy_run(first, "second")
    assert copy == tmp_path / "second"
    assert sorted(p.name for p in copy.rglob("*")) == sorted(p.name for p in first.rglob("*"))
    with pytest.raises(InputError, match="exists: choose another name"):
        training.copy_run(first, "second")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_half_a_copy_is_no_run(tmp_path, monkeypatch, error):
    first = tmp_path / "first"
    first.mkdir()
    names = ("checkpoint.keras", "config.yaml", "run.json")
    for name in names:
        (first / name).write_text("as it was")

    def copy_of_one(source, folder):
        folder.mkdir()
        shutil.copy(source / "config.yaml", folder)
        assert not training.is_run(tmp_path / "second")  # as whoever kills it now would leave it
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copytree", copy_of_one)
        with pytest.raises((InputError, KeyboardInterrupt)):
            training.copy_run(first, "second")
    assert list(tmp_path.iterdir()) == [first]
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / ".lock").touch()  # a name that is free
    copy = training.copy_run(first, "second")
    assert sorted(path.name for path in copy.iterdir()) == sorted(names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]


def test_of_a_configuration_whose_run_began_with_other_weights_the_plan_says_so(data, tmp_path):
    """It holds settings alone: a run by it begins with random weights."""
    run = prepared("cgan", data)
    earlier = training.create(dataclasses.replace(run, begun_from="runs/first"), tmp_path)
    noted = training.note_random_weights(run, earlier / "config.yaml")
    (text,) = set(texts(noted)) - set(texts(run))
    assert text == (
        f"with random weights, where {earlier} began with those of runs/first: "
        "--init-from runs/first does so again"
    )
    plain = training.create(run, tmp_path, "plain")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "run.json").write_text("[")
    for folder in (plain, tmp_path / "damaged", tmp_path):  # the last is no run's
        assert training.note_random_weights(run, folder / "config.yaml") is run
