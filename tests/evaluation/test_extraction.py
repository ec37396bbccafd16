"""Arrays on the disk: what is written, and what is refused."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError, RunError
from keras_gans.evaluation import extraction
from keras_gans.metrics import features
from tests.evaluation.test_evaluator import large_source
from tests.users import as_somebody

SOURCE = large_source(classes=None)
PIXELS = features.get("pixels", SOURCE, None)


def images(count):
    return np.random.default_rng(0).uniform(-1, 1, (count, 8, 8, 1)).astype(np.float32)


def described(batch):
    return extraction.describe(batch, PIXELS, SOURCE)


def test_arrays_are_read_as_they_were_written(tmp_path):
    batches = [images(3), images(2)]
    extraction.write_arrays(batches, 5, tmp_path, described, True)
    found = extraction.read_arrays(tmp_path, np.arange(5))
    expected = 0.5 * (np.concatenate(batches).reshape(5, -1) + 1.0)
    np.testing.assert_allclose(found.features, expected, atol=1e-6)
    np.testing.assert_allclose(found.pixels, expected, atol=1e-6)
    assert found.probabilities is None
    (tmp_path / "features.npy").write_bytes(b"short")
    with pytest.raises(InputError, match=f"{tmp_path} is damaged: delete it"):
        extraction.read_arrays(tmp_path, None)


def test_images_of_another_shape_or_not_finite_are_refused():
    with pytest.raises(InputError, match=r"samples are of shape \[4, 4, 1\]"):
        extraction.describe(images(1)[:, :4, :4], PIXELS, SOURCE)
    with pytest.raises(RunError, match="a sample is not finite"):
        extraction.describe(images(1) * np.nan, PIXELS, SOURCE)


def test_a_scratch_folder_goes_unless_it_was_renamed(tmp_path):
    with extraction.scratch_folder(tmp_path) as left:
        (left / "file").write_text("")
    with extraction.scratch_folder(tmp_path) as kept:
        kept.rename(tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(("umask", "mode"), [(0o002, 0o775), (0o027, 0o750), (0o077, 0o700)])
def test_the_umask_decides_who_may_read_what_is_kept(umask, mode):
    with as_somebody(umask) as place:
        with extraction.scratch_folder(place) as staged:
            extraction.write_arrays([images(1)], 1, staged, described)
            staged.rename(place / "kept")
        assert (place / "kept").stat().st_mode & 0o777 == mode
        for path in (place / "kept").iterdir():
            assert path.stat().st_mode & 0o777 == mode & 0o666


def test_a_cache_that_cannot_be_written_is_done_without():
    with as_somebody() as place, extraction.scratch_folder(place / "hers") as staged:
        (staged / "file").touch()
        assert place not in staged.parents


def test_a_file_error_is_told_in_one_line(tmp_path):
    with (
        pytest.raises(RunError, match=f"cannot write to {tmp_path}: No space left on device"),
        extraction.file_errors(SOURCE, tmp_path),
    ):
        raise OSError(28, "No space left on device")
    with pytest.raises(tf.errors.DataLossError), extraction.file_errors(SOURCE, tmp_path):
        raise tf.errors.DataLossError(None, None, "unknown")
