"""How every program reads its options and ends."""

import pytest
from jsonargparse import ArgumentParser

from apps import console
from keras_gans.errors import InputError, RunError


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("no such\n  file"), 2, "program: no such file"),
        (RunError("the disk is full"), 1, "program: the disk is full"),
        (KeyboardInterrupt(), 130, "program: interrupted"),
    ],
)
def test_a_fault_ends_in_one_line_and_a_status(capsys, error, status, line):
    def main():
        raise error

    with pytest.raises(SystemExit) as end:
        console.run_app("program", main)
    assert end.value.code == status
    assert capsys.readouterr() == ("", f"{line}\n")


def test_an_error_that_nobody_foresaw_keeps_its_traceback():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        console.run_app("program", main)


def test_what_a_parser_refuses_is_a_mistake_and_names_the_help(tmp_path):
    parser = ArgumentParser(prog="program", exit_on_error=False)
    parser.add_argument("--config", action="config")
    parser.add_argument("--count", type=int, default=1)
    assert console.parse(parser, ["--count", "3"]).count == 3
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for arguments in (["--count", "many"], ["--none"], ["--config", str(tmp_path / "binary")]):
        with pytest.raises(InputError, match=r"\(see program --help\)$"):
            console.parse(parser, arguments)


def test_a_file_ends_as_what_it_holds(tmp_path):
    for path in ("a.png", "a/B.JPG", "a.b.jpeg", "none", None, "dir.d/none"):
        console.check_ending("--grid", path, [".png", ".jpg", ".jpeg"])
    for path in ("a.mp4", "a.png.txt", "a.gif"):
        with pytest.raises(
            InputError, match=rf"^--out must end in .png or .jpg. Received: {path}$"
        ):
            console.check_ending("--out", path, [".png", ".jpg"])
    with pytest.raises(InputError, match=rf"^--out must be a file. Received: {tmp_path}, which"):
        console.check_ending("--out", tmp_path, [".png"])


def test_a_trained_model_is_a_folder_and_a_checkpoint():
    parser = console.make_parser("program", "Looks at a model.")
    console.add_model(parser)
    options = console.parse(parser, ["runs/mine", "--checkpoint", "best"])
    assert (options.model, options.checkpoint) == ("runs/mine", "best")
    assert console.parse(parser, ["runs/mine"]).checkpoint is None
    for arguments in ([], ["runs/mine", "--check", "best"], ["runs/mine", "--checkpoint", "first"]):
        with pytest.raises(InputError, match=r"\(see program --help\)$"):
            console.parse(parser, arguments)
