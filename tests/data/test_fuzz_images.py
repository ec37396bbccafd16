"""A small part of the damaged pictures; `python -m tests.data.fuzz_images` reads more."""

import pytest

from tests.data import fuzz_images


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of damaged TIFF files
def test_damaged_pictures_are_refused_or_read(tmp_path):
    with (tmp_path / "out").open("w") as out:
        assert fuzz_images.run(len(fuzz_images.KINDS) * 12, seed=1, out=out) == []
