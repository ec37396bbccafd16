"""Two domains at once: the embedded ones, and folders of real pictures."""

import dataclasses
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_gans.data import (
    SOURCE_NAMES,
    UNPAIRED_NAMES,
    batches,
    in_order,
    load_source,
    load_unpaired,
    skipped_text,
    steps_per_epoch,
    unpaired,
)
from keras_gans.errors import InputError, RunError
from tests.data.test_digits import is_blend

EMBEDDED = "digits2digits-m"
PARTS = ("train", "test")


def refusal(*args, load=load_unpaired, **options):
    with pytest.raises(InputError) as caught:
        load(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pixels(split):
    return split.read(np.arange(split.size))[0].numpy()


@pytest.fixture(scope="module")
def embedded():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpaired, "BLENDS", 2)  # for Y's judge: 16 of each digit take seconds
        source = load_unpaired(EMBEDDED)
        assert source.judges  # made while there are 2
    return source


@pytest.fixture(scope="module")
def places(embedded):
    """Which of the 1,797 digits each image shows, found by its pixels."""

    def found(name, domain):
        every = pixels(load_source(name, channels=3).train)
        index = {image.tobytes(): place for place, image in enumerate(every)}
        assert len(index) == 1797
        splits = {part: pixels(getattr(domain, part)) for part in PARTS}
        return {part: [index[image.tobytes()] for image in splits[part]] for part in PARTS}

    return {"x": found("digits", embedded.x), "y": found("digits-m", embedded.y)}


def test_what_training_asks_of_a_source(embedded):
    assert (embedded.name, embedded.image_shape) == (EMBEDDED, (28, 28, 3))
    assert (embedded.class_names, embedded.num_classes, embedded.test) == (None, 0, None)
    assert (embedded.train.size, embedded.train.labels, embedded.train.failure) == (750, None, None)
    assert steps_per_epoch(embedded.train, 32) == 23
    with pytest.raises(dataclasses.FrozenInstanceError):
        embedded.name = "other"


def test_domains_give_images_without_labels(embedded):
    for domain in (embedded.x, embedded.y):
        assert domain.image_shape == (28, 28, 3)
        assert (domain.class_names, domain.num_classes) == (None, 0)
        assert (domain.train.size, domain.test.size) == (750, 297)
        images = next(iter(batches(domain.train, 16, seed=0)))
        assert images.shape == (16, 28, 28, 3)
        images = next(iter(in_order(domain.test, 16)))
        assert images.shape == (16, 28, 28, 3)


def test_no_digit_is_in_two_parts(places):
    x, y = set(places["x"]["train"]), set(places["y"]["train"])
    held_out = set(places["x"]["test"])
    assert (len(x), len(y), len(held_out)) == (750, 750, 297)
    assert not (x & y or x & held_out or y & held_out)


def test_held_out_images_are_true_pairs(embedded, places):
    assert embedded.paired
    assert places["x"]["test"] == places["y"]["test"]
    x, y = pixels(embedded.x.test), pixels(embedded.y.test)
    assert is_blend(y[0], x[0][..., :1])
    assert is_blend(y[296], x[296][..., :1])
    assert not is_blend(y[0], x[1][..., :1])


def test_every_part_holds_the_classes_alike(places):
    labels = load_source("digits").train.labels
    every = np.bincount(labels) / 1797
    for chosen in (places["x"]["train"], places["y"]["train"], places["x"]["test"]):
        share = np.bincount(labels[chosen]) / len(chosen)
        np.testing.assert_allclose(share, every, atol=1 / len(chosen))


def test_judges_are_made_only_for_those_that_ask(monkeypatch):
    """Their many images would keep everybody else waiting for a second."""
    monkeypatch.setattr(unpaired, "BLENDS", "none can be made")
    assert load_unpaired(EMBEDDED).has_judges


def test_judges_never_see_a_held_out_digit(embedded, places):
    labels = load_source("digits").train.labels
    rest = places["x"]["train"] + places["y"]["train"]
    judge_x, judge_y = embedded.judges
    for judge, domain in zip(embedded.judges, (embedded.x, embedded.y), strict=True):
        assert judge.class_names == tuple("0123456789")
        assert judge.image_shape == (28, 28, 3)
        np.testing.assert_array_equal(pixels(judge.test), pixels(domain.test))
        np.testing.assert_array_equal(judge.test.labels, labels[places["x"]["test"]])
    plain = pixels(load_source("digits", channels=3).train)
    np.testing.assert_array_equal(pixels(judge_x.train), plain[rest])
    np.testing.assert_array_equal(judge_x.train.labels, labels[rest])
    assert judge_y.train.size == 2 * 1500
    mixed = pixels(judge_y.train)
    assert len({image.tobytes() for image in mixed}) == len(mixed)
    for row in (0, 1499, 1500, len(mixed) - 1):
        assert is_blend(mixed[row], plain[rest[row % 1500]][..., :1])
        assert judge_y.train.labels[row] == labels[rest[row % 1500]]


def test_embedded_in_another_shape(monkeypatch):
    monkeypatch.setattr(unpaired, "BLENDS", 1)
    source = load_unpaired(EMBEDDED, image_size=16, channels=1)
    every = (source, source.x, source.y, *source.judges)
    assert {part.image_shape for part in every} == {(16, 16, 1)}
    assert len({part.fingerprint for part in every}) == 5


@pytest.fixture
def zoo(tmp_path, gradient):
    """5 horses in two sub-folders and 3 zebras, of several sizes."""
    for index in range(8):
        folder = "zebras" if index in (2, 5, 7) else ("horses/young", "horses/old")[index % 2]
        path = tmp_path / folder / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        gradient(30 + index, 40 - index, seed=index).save(path)
    return tmp_path


def test_two_folders(zoo):
    source = load_unpaired(f"folders:{zoo}/horses,{zoo}/zebras", image_size=16)
    assert (source.x.name, source.y.name) == ("horses", "zebras")
    assert (source.x.train.size, source.y.train.size, source.train.size) == (5, 3, 5)
    assert (source.x.test, source.y.test, source.paired, source.judges) == (None, None, False, None)
    assert (source.x.train.labels, source.x.class_names) == (None, None)
    images = next(iter(batches(source.x.train, 2, seed=0)))
    assert images.shape == (2, 16, 16, 3)
    alone = load_source(f"folder:{zoo}/zebras", image_size=16)
    np.testing.assert_array_equal(pixels(source.y.train), pixels(alone.train))
    assert load_unpaired(f"folders:{zoo}/horses,{zoo}/zebras").image_shape == (64, 64, 3)


def test_gray_folders(zoo):
    for path in (zoo / "horses").rglob("*.png"):
        Image.open(path).convert("L").save(path)
    name = f"folders:{zoo}/horses,{zoo}/zebras"
    mixed = load_unpaired(name, image_size=8)
    assert mixed.x.image_shape == mixed.y.image_shape == (8, 8, 3)
    assert load_unpaired(name, image_size=8, channels=1).y.image_shape == (8, 8, 1)
    for path in (zoo / "zebras").rglob("*.png"):
        Image.open(path).convert("L").save(path)
    assert load_unpaired(name, image_size=8).image_shape == (8, 8, 1)


def test_train_and_test_folders(zoo, gradient):
    for name in ("horses", "zebras"):
        (zoo / name).rename(zoo / "train")
        (zoo / name).mkdir()
        (zoo / "train").rename(zoo / name / "train")
    (zoo / "horses/test").mkdir()
    gradient(20, 20, seed=99).save(zoo / "horses/test/a.png")
    source = load_unpaired(f"folders:{zoo}/horses,{zoo}/zebras", image_size=8)
    assert (source.x.train.size, source.x.test.size, source.x.name) == (5, 1, "horses")
    assert (source.y.train.size, source.y.test) == (3, None)  # a lone "train" is no split
    assert source.x.test.labels is None
    before = source.fingerprint
    gradient(20, 20, seed=98).save(zoo / "horses/test/b.png")
    assert load_unpaired(source.name, image_size=8).fingerprint != before


def test_a_root_laid_out_like_the_papers_data(zoo, gradient):
    (zoo / "horses").rename(zoo / "trainA")
    (zoo / "zebras").rename(zoo / "trainB")
    source = load_unpaired(f"folders:{zoo}", image_size=8)
    assert (source.x.train.size, source.y.train.size, source.x.test) == (5, 3, None)
    shutil.copytree(zoo / "trainB", zoo / "testB")
    source = load_unpaired(f"folders:{zoo}", image_size=8)
    assert (source.x.test, source.y.test.size) == (None, 3)


def test_small_folders_are_decoded_once(zoo):
    source = load_unpaired(f"folders:{zoo}/horses,{zoo}/zebras", image_size=8)
    shutil.rmtree(zoo / "zebras")
    assert pixels(source.y.train).shape == (3, 8, 8, 3)


@pytest.mark.parametrize("broken", ["horses", "zebras"])
def test_failure_of_either_domain_is_told(zoo, broken):
    source = load_unpaired(f"folders:{zoo}/horses,{zoo}/zebras", image_size=8, cache_mib=0)
    assert source.train.failure is None
    shutil.rmtree(zoo / broken)
    with pytest.raises(Exception, match="No such file"):
        pixels((source.x if broken == "horses" else source.y).train)
    assert isinstance(source.train.failure, RunError)
    assert broken in str(source.train.failure)


def test_skipped_files_of_both_are_told(zoo):
    (zoo / "horses/young/bad.png").write_bytes(b"no picture")
    (zoo / "zebras/worse.png").write_bytes(b"nor this")
    name = f"folders:{zoo}/horses,{zoo}/zebras"
    assert "bad.png" in refusal(name)
    source = load_unpaired(name, image_size=8, bad_images="skip")
    both = [f"{zoo}/horses/young/bad.png", f"{zoo}/zebras/worse.png"]
    assert [source.x.skipped, source.y.skipped] == [both[:1], both[1:]]
    assert source.skipped == both
    assert skipped_text(source) == f"2 unreadable images, the first: {both[0]}"


def test_fingerprint_follows_either_domain(zoo, gradient):
    name = f"folders:{zoo}/horses,{zoo}/zebras"
    seen = [load_unpaired(name, image_size=8).fingerprint]
    seen.append(load_unpaired(f"folders:{zoo}/zebras,{zoo}/horses", image_size=8).fingerprint)
    seen.append(load_unpaired(name, image_size=8, resize="pad").fingerprint)
    for folder in ("horses", "zebras"):
        gradient(20, 20, seed=50).save(zoo / folder / "new.png")
        seen.append(load_unpaired(name, image_size=8).fingerprint)
    assert len(set(seen)) == len(seen)
    assert load_unpaired(name, image_size=8).fingerprint == seen[-1]


def test_folders_that_cannot_be_taken(zoo):
    horses = zoo / "horses"
    assert f"the image folder {zoo}/none does not exist" in refusal(f"folders:{horses},{zoo}/none")
    assert "Expected: folders:A,B" in refusal(f"folders:{horses},")
    assert "Expected: folders:A,B" in refusal(f"folders:,{horses}")
    assert f"there is no folder {horses}/trainA" in refusal(f"folders:{horses}")
    assert "names no path" in refusal("folders:")
    for other in (horses, f"{horses}/../horses", horses / "young", zoo):
        assert "none lies in the other" in refusal(f"folders:{horses},{other}")
    (zoo / "empty").mkdir()
    assert "holds no image file" in refusal(f"folders:{horses},{zoo}/empty")
    assert "File name too long" in refusal("folders:" + "x" * 300 + ",b")


def test_options_are_checked():
    assert "image_size must be" in refusal(EMBEDDED, image_size=2)
    assert "channels must be one of" in refusal(EMBEDDED, channels=4)
    assert "resize must be one of" in refusal(EMBEDDED, resize="squeeze")
    assert "bad_images must be one of" in refusal(EMBEDDED, bad_images="keep")


@pytest.mark.parametrize("name", [EMBEDDED, "horse2zebra", "folders:a,b"])
def test_unpaired_names_are_no_single_sources(name):
    text = refusal(name, load=load_source)
    assert text.startswith(f"the source {name!r} is two sets of images, for cyclegan alone.")
    assert all(known in text for known in SOURCE_NAMES)


@pytest.mark.parametrize("name", ["digits", "mnist", "folder:a", "npz:a.npz"])
def test_single_names_are_not_unpaired(name):
    text = refusal(name)
    assert text.startswith(f"the source {name!r} is one set of images, cyclegan takes two.")
    assert all(known in text for known in UNPAIRED_NAMES)


def test_unknown_names(zoo):
    assert refusal("horse2zebr").endswith("Did you mean horse2zebra?")
    both = f"{zoo}/horses,{zoo}/zebras"
    assert refusal(both).endswith(f"Did you mean folders:{both}?")
    assert "Did you mean" not in refusal("qqqqqqqqqqqq")
    assert "File name too long" in refusal("x" * 300)
