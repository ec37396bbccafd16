"""The plan of a run in words: its data, its networks, its choices with reasons, its memory."""

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from keras_gans import training
from keras_gans.data.arrays import ArraySplit
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.training import planning
from tests.apps.processes import write_npz
from tests.recipes.toys import toy_source
from tests.training.toys import recipe_of


def test_the_plan_counts_the_images_of_each_class():
    labels = np.repeat([0, 1, 2], [30, 2, 1200])
    images = np.zeros((len(labels), 8, 8, 1), np.uint8)
    few = dataclasses.replace(
        toy_source(), class_names=("ant", "bee", "cow"), train=ArraySplit(images, labels)
    )
    assert planning._class_counts(few) == "ant: 30, bee: 2, cow: 1,200"
    strange = dataclasses.replace(few, class_names=("a\nb", "bee", "cow"))
    assert planning._class_counts(strange) == r"'a\nb': 30, bee: 2, cow: 1,200"
    labels = np.repeat(np.arange(6543), 2)[1:]
    many = dataclasses.replace(
        few, class_names=tuple(map(str, range(6543))), train=ArraySplit(images[:1], labels)
    )
    assert planning._class_counts(many) == ("1 (0) to 2 (6542) images each, half of them at most 2")
    even = dataclasses.replace(many, train=ArraySplit(images[:1], np.repeat(np.arange(6543), 2)))
    assert planning._class_counts(even) == "2 of each"


def test_the_plan_counts_steps_parameters_and_memory(data):
    run = training.prepare(recipe_of("cgan", data))
    lines = training.plan(run).splitlines()
    networks = ["network"] * len(run.model.layers)
    words = ["data", "classes", *networks, "widths", "augment", "compared", "precision"]
    words += ["steps", "memory"]
    assert [line.split()[0] for line in lines] == words
    assert lines[0].endswith("64 images of 8 x 8 x 1, 3 classes")
    assert f"generator: {run.model.generator.count_params():,} parameters" in lines[2]
    assert lines[-2].endswith("2 epochs of 8 steps, batches of 8: 16 steps in all")
    # Weights, gradients and two moments alone take 16 bytes a parameter.
    mebibytes = float(lines[-1].split()[2].replace(",", ""))
    assert mebibytes >= round(16 * run.model.count_params() / 2**20)


def test_every_choice_that_nobody_made_is_printed_with_its_reason(tmp_path):
    for number in range(20):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 36, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number:02d}.png")
    recipe = RECIPES["r3gan"](dataset=f"folder:{tmp_path}")
    run = training.prepare(recipe)
    lines = dict(re.split(r" +", line, maxsplit=1) for line in training.plan(run).splitlines())
    assert lines["size"] == "20 x 36, as the pictures are"
    assert lines["batch"] == "16, instead of 128, as there are only 20 images"
    assert lines["length"] == "75,000 epochs, about 1,200,000 images to see; 16 in each epoch"
    assert lines["augment"].startswith("diffaugment, as there are only 20 images, over 75,000")
    assert "with the square of the side" in lines["gamma"]
    assert "half-life" in lines["average"]
    assert lines["precision"] == "float32, the same on every machine"
    settings = training.saved_settings(training.create(run, tmp_path / "runs"))
    assert settings["image_size"] == [20, 36]
    assert (settings["batch_size"], settings["sample_epochs"]) == (16, 1250)


@pytest.mark.slow
def test_unbalanced_classes_are_told_and_can_be_balanced(tmp_path):
    labels = np.repeat([0, 1], [50, 8])
    np.savez(tmp_path / "few.npz", images=np.zeros((58, 8, 8), np.uint8) + 200, labels=labels)
    data = tmp_path / "few.npz"

    def classes(**settings):
        plan = training.plan(training.prepare(recipe_of("cgan", data, **settings)))
        return next(line for line in plan.splitlines() if line.startswith("classes"))

    text = "0: 50, 1: 8; unbalanced, --balance-classes true shows each as often as another"
    assert classes().endswith(text)
    assert classes(balance_classes=True).endswith("each as often in every batch, as asked")
    np.savez(tmp_path / "none.npz", images=np.zeros((58, 8, 8), np.uint8) + 200)
    with pytest.raises(InputError, match="balance_classes needs labels"):
        training.prepare(recipe_of("dcgan", tmp_path / "none.npz", balance_classes=True))


@pytest.mark.slow
def test_the_memory_of_crops_is_that_of_images_of_their_size(tmp_path, monkeypatch):
    for number in range(4):
        path = tmp_path / ("trainA", "trainB")[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((64, 64, 3), 50 * number, np.uint8)).save(path)
    small = {"generator_filters": 2, "blocks": 1, "discriminator_filters": 2, "halvings": 1}
    small |= {"dataset": f"folders:{tmp_path}", "batch_size": 1, "epochs": 1}
    crops, images = (
        training.prepare(RECIPES["cyclegan"](**small, **sizes))
        for sizes in ({"image_size": 64, "crop_size": 16}, {"image_size": 16})
    )
    assert planning.memory_mib(crops) == planning.memory_mib(images)
    monkeypatch.setattr(planning, "available_memory", lambda: 1000)
    with pytest.raises(InputError, match="a smaller --image-size or --crop-size would do"):
        training.check_memory(crops)


def test_a_batch_that_is_worked_off_in_parts_needs_the_memory_of_a_part(tmp_path):
    path = write_npz(tmp_path / "data.npz", shape=(16, 16, 1))
    settings = {"dataset": f"npz:{path}", "epochs": 1, "batch_size": 32}
    runs = [training.prepare(RECIPES["r3gan"](**settings, accumulate=parts)) for parts in (1, 4)]
    weights = 16 * runs[0].model.count_params() / 2**20
    whole, part = (planning.memory_mib(run) - weights for run in runs)
    assert part == pytest.approx(whole / 4)


def test_the_peak_of_memory_is_this_programs_alone(monkeypatch):
    """getrusage's, on Linux, is also that of whoever started it; other systems have no better."""
    monkeypatch.setattr(planning.resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=2**40))
    assert 100 < planning.peak_mib() < 2**20
    monkeypatch.setattr(planning, "STATUS", Path("/nowhere"))
    assert planning.peak_mib() == 2**30


def test_a_step_beyond_the_memory_is_refused_with_a_batch_that_would_do(data, monkeypatch):
    run = training.prepare(recipe_of("cgan", data, batch_size=64))
    training.check_memory(run)
    weights = 16 * run.model.count_params()
    whole = planning.memory_mib(run) * 2**20
    # Room for the weights and a third of the images.
    free = weights + (whole - weights) / 3
    monkeypatch.setattr(planning, "available_memory", lambda: free)
    with pytest.raises(InputError, match=r"about \d+ MiB, and \d+ MiB .* --batch-size 16 would do"):
        training.check_memory(run)


@pytest.mark.parametrize(
    ("settings", "cure"),
    [
        # A third of 60 would be 15, of which four discriminator's steps are none.
        ({"batch_size": 60, "discriminator_steps": 4}, "a smaller --image-size"),
        ({"batch_size": 40, "discriminator_steps": 4}, "--batch-size 20"),
        ({"batch_size": 2}, "a smaller --image-size"),
    ],
)
def test_a_batch_that_would_do_is_one_that_the_settings_allow(data, monkeypatch, settings, cure):
    run = training.prepare(recipe_of("cgan", data, **settings))
    weights = 16 * run.model.count_params()
    free = weights + 0.6 * (planning.memory_mib(run) * 2**20 - weights)
    monkeypatch.setattr(planning, "available_memory", lambda: free)
    with pytest.raises(InputError, match=f"memory are free: {cure} would do, or narrower networks"):
        training.check_memory(run)


def test_halves_of_a_batch_are_those_that_replicas_can_split(data, two_replicas):
    recipe = RECIPES["gan"](dataset=f"npz:{data}", batch_size=48, discriminator_steps=2, epochs=1)
    run = training.prepare(recipe, two_replicas)
    assert list(planning.smaller_batches(run)) == [24, 12]
