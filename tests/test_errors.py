"""The two errors end a program with one line, each with its own status."""

import pytest

from apps import console
from keras_gans.errors import InputError, RunError


@pytest.mark.parametrize(
    ("error", "kind", "status"), [(InputError, ValueError, 2), (RunError, RuntimeError, 1)]
)
def test_a_program_ends_with_its_line_and_status(error, kind, status, capsys):
    def main():
        raise error("the disk\nis full")

    assert issubclass(error, kind)
    with pytest.raises(SystemExit) as ended:
        console.run_app("python -m apps.train", main)
    assert ended.value.code == status
    assert capsys.readouterr() == ("", "python -m apps.train: the disk is full\n")
