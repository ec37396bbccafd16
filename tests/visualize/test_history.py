"""Moving pictures, read back with Pillow."""

import re
import resource

import numpy as np
import pytest
from PIL import Image

from keras_gans.errors import RunError
from keras_gans.visualize import history, images, tensorboard
from tests.apps.processes import logged, snapshot, truncate


def noise(frames, channels=1, size=(6, 9)):
    return np.random.default_rng(0).integers(0, 256, (frames, *size, channels), dtype=np.uint8)


def read(path):
    """`(frames uint8 [n, h, w, 3], seconds [n], loop)` of an animation."""
    with Image.open(path) as file:
        frames, seconds = [], []
        for index in range(file.n_frames):
            file.seek(index)
            frames.append(np.asarray(file.convert("RGB")))
            seconds.append(file.info["duration"] / 1000)
        return np.stack(frames), seconds, file.info.get("loop")


# GIF ---------------------------------------------------------------------------------------------


def test_gray_frames_come_back_exactly_and_loop_for_ever(tmp_path):
    frames = noise(12)
    frames[3, 0, 0] = 255 - frames[3, 0, 0]
    frames[4] = frames[3]
    frames[4, 2, 2] ^= 1  # a single pixel by a single gray
    path = images.save_gif(iter(frames), tmp_path / "new" / "x.gif", 0.06)
    assert path == tmp_path / "new" / "x.gif"
    actual, seconds, loop = read(path)
    np.testing.assert_array_equal(actual, np.repeat(frames, 3, axis=-1))
    assert (seconds, loop) == ([0.06] * 12, 0)
    assert [each.name for each in path.parent.iterdir()] == ["x.gif"]


def test_few_grays_are_kept_too(tmp_path):
    """Pillow would make a palette of its own of them for every frame."""
    frames = noise(8) // 128 * 255
    actual, _, _ = read(images.save_gif(frames, tmp_path / "x.gif", 0.1))
    np.testing.assert_array_equal(actual[..., :1], frames)


def test_colour_frames_keep_their_colours_as_far_as_256_go(tmp_path):
    smooth = np.stack(np.meshgrid(np.arange(32) * 8, np.arange(32) * 8), axis=-1)
    frames = np.stack(
        [np.concatenate([smooth, np.full((32, 32, 1), blue)], -1) for blue in (0, 100, 200)]
    ).astype(np.uint8)
    actual, _, _ = read(images.save_gif(frames, tmp_path / "x.gif", 0.1))
    assert np.abs(actual.astype(int) - frames).mean() < 5
    few = noise(3, channels=3)[:, :2, :2]
    actual, _, _ = read(images.save_gif(few, tmp_path / "few.gif", 0.1))
    assert np.abs(actual.astype(int) - few).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_enlarged_pixels_are_squares(tmp_path, channels):
    frames = noise(3, channels)
    plain, _, _ = read(images.save_gif(frames, tmp_path / "x.gif", 0.1))
    large, _, _ = read(images.save_gif(frames, tmp_path / "y.gif", 0.1, enlarge=4))
    assert large.shape == (3, 24, 36, 3)
    np.testing.assert_array_equal(large, plain.repeat(4, axis=1).repeat(4, axis=2))


def test_every_frame_can_have_its_own_time(tmp_path):
    path = images.save_gif(noise(3), tmp_path / "x.gif", [0.05, 0.1, 2.0])
    assert read(path)[1] == [0.05, 0.1, 2.0]


def test_a_frame_that_equals_the_one_before_makes_that_one_last(tmp_path):
    frames = noise(2)[[0, 0, 0, 1]]
    actual, seconds, _ = read(images.save_gif(frames, tmp_path / "x.gif", 0.1))
    assert (len(actual), seconds) == (2, [pytest.approx(0.3), pytest.approx(0.1)])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_is_shown_no_longer_than_the_format_can_say(tmp_path, channels):
    frames = noise(2, channels)[[0] * 100 + [1] * 100]
    _, seconds, _ = read(images.save_gif(frames, tmp_path / "x.gif", 10.0))
    assert seconds == [655.35, 655.35]
    _, seconds, _ = read(images.save_gif(frames[:100], tmp_path / "x.gif", [10.0] * 100))
    assert seconds == [655.35]


def test_what_fails_in_between_leaves_the_old_animation(tmp_path):
    def ending():
        yield from noise(2)
        raise KeyboardInterrupt

    path = images.save_gif(noise(2), tmp_path / "x.gif", 0.1)
    before = snapshot(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        images.save_gif(ending(), path, 0.1)
    with pytest.raises(ValueError, match="at least one"):
        images.save_gif([], path, 0.1)
    assert snapshot(tmp_path) == before


# History -----------------------------------------------------------------------------------------


def write_grids(run, epochs):
    """One flat gray a grid, in turn over the grays, so that it says which epoch it is of."""
    for place, epoch in enumerate(epochs):
        grid = np.full((8, 8, 1), place % 256, np.uint8)
        images.save_png(grid, run / "samples" / f"epoch_{epoch:04d}.png")


def grays(path):
    return read(path)[0][:, 0, 0, 0].tolist()


def test_a_history_goes_by_epochs_and_holds_the_last(tmp_path):
    write_grids(tmp_path, [5, 10, 9999, 10000])
    (tmp_path / "samples" / "epoch_last.png").write_text("somebody's own")
    path = history.save_history(tmp_path)
    assert path == tmp_path / "samples" / "history.gif"
    frames, seconds, loop = read(path)
    assert grays(path) == [0, 1, 2, 3]
    assert frames.shape[1:3] == (560, 560)
    assert (seconds, loop) == ([0.5, 0.5, 0.5, 2.0], 0)
    # Made again, it is not a frame of itself.
    assert grays(history.save_history(tmp_path)) == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_long_history_is_thinned_evenly_from_first_to_last(tmp_path):
    write_grids(tmp_path, range(1, 251))
    path = history.save_history(tmp_path)
    shown = grays(path)
    assert len(shown) == 100
    assert (shown[0], shown[-1]) == (0, 249)
    assert set(np.diff(shown)) == {2, 3}
    assert sum(read(path)[1]) == pytest.approx(99 * 0.08 + 2.0)


def test_a_history_of_one_grid_or_none(tmp_path):
    assert history.save_history(tmp_path) is None
    write_grids(tmp_path, [1])
    assert grays(history.save_history(tmp_path)) == [0]


@pytest.mark.slow
def test_large_grids_are_reduced(tmp_path):
    for epoch in (1, 2):
        grid = np.full((1130, 600, 3), 100 * epoch, np.uint8)
        images.save_png(grid, tmp_path / "samples" / f"epoch_{epoch:04d}.png")
    frames, _, _ = read(history.save_history(tmp_path))
    assert frames.shape == (2, 565, 300, 3)


def test_a_grid_that_cannot_be_used_is_named(tmp_path):
    write_grids(tmp_path, [1, 2, 3])
    history.save_history(tmp_path)
    before = (tmp_path / "samples" / "history.gif").read_bytes()
    grid = tmp_path / "samples" / "epoch_0002.png"
    images.save_png(np.zeros((8, 12, 1), np.uint8), grid)
    with pytest.raises(RunError, match=re.escape(f"{grid} is not of the size")):
        history.save_history(tmp_path)
    for damage in (b"", b"no picture", truncate(grid).read_bytes()):
        grid.write_bytes(damage)
        with pytest.raises(RunError, match=re.escape(f"cannot read the samples {grid}")):
            history.save_history(tmp_path)
    assert (tmp_path / "samples" / "history.gif").read_bytes() == before
    assert len(list((tmp_path / "samples").iterdir())) == 4


def test_a_history_that_cannot_be_written_says_so(tmp_path):
    write_grids(tmp_path, [1, 2])
    (tmp_path / "samples" / "history.gif").mkdir()
    with pytest.raises(RunError, match=r"cannot write .*history\.gif: Is a directory"):
        history.save_history(tmp_path)


# TensorBoard -------------------------------------------------------------------------------------


def test_a_logged_picture_is_read_back(tmp_path):
    picture = noise(1, channels=3)[0]
    tensorboard.log_picture(tmp_path, "walk", picture, step=7)
    assert len(list(tmp_path.iterdir())) == 1
    width, height, png = logged(tmp_path)["walk"][7]
    assert (width, height) == (b"9", b"6")
    assert png.startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_logged_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write the picture walk to"):
        tensorboard.log_picture(tmp_path / "file" / "run", "walk", noise(1)[0], step=7)


@pytest.mark.parametrize("size", [0, 20, 200, 2000])
def test_on_a_full_disk_no_half_picture_is_left(tmp_path, size):
    """The limit stands for the disk's end: the same error of the same system call."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(RunError, match="cannot write the picture"):
            tensorboard.log_picture(tmp_path, "walk", noise(1, size=(64, 64))[0], step=7)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
