"""Commands that programs print, pasted into `sh`, and names that a terminal cannot show."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import tensorflow as tf

from apps import serve, terminal, train
from keras_gans.recipes import RECIPES
from tests.test_makefile import INHERITED, ODD_NAMES, ROOT

NAMES = (*ODD_NAMES, "plain", "", "-r", "new\nline", os.fsdecode(b"caf\xe9"), "tab\t")


def terminal_of(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")


@pytest.fixture(params=["utf-8", "ascii", "latin-1"])
def any_terminal(request, monkeypatch):
    monkeypatch.setattr(sys, "stdout", terminal_of(request.param))


def shell(line, **more):
    """What `sh` prints that runs a line as a terminal shows it, bytes."""
    shown = line.encode(sys.stdout.encoding)
    return subprocess.run(["sh", "-c", shown], capture_output=True, check=True, **more).stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_quoted_name_is_one_word_of_the_shell(name, any_terminal):
    line = terminal.command_line("printf", "<%s>", name, "end")
    assert shell(line) == b"<" + os.fsencode(name) + b"><end>"


def test_what_needs_no_quotes_gets_none():
    assert terminal.command_line("make", "walk", RUN="runs/a-1") == "make walk RUN=runs/a-1"
    assert terminal.command_line("make", ARGS="--seed 1") == "make ARGS='--seed 1'"
    inner = terminal.command_line("--resume", "my runs/x")
    assert terminal.command_line("make", ARGS=inner) == "make ARGS=\"--resume 'my runs/x'\""


def test_standard_output_escapes_what_it_cannot_show(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    terminal.accept_any_text()
    print("Größe", os.fsdecode(b"caf\xe9"), flush=True)
    assert sys.stdout.buffer.getvalue() == b"Gr\\xf6\\xdfe caf\\udce9\n"
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # which has no encoding
    terminal.accept_any_text()
    assert terminal.quoted("é") == "\"$(printf '\\303\\251')\""


# The commands at a run's end ---------------------------------------------------------------------


@pytest.fixture
def make_prints(tmp_path):
    """The environment of a shell whose `make` has programs print what they are given."""
    (tmp_path / "bin").mkdir()
    real = f"PATH='{os.environ['PATH']}' make VENV={tmp_path}"
    programs = {"bin/python": "printf '%s\\0' \"$@\"", "make": f'{real} "$@"'}
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / ".ready").touch()
    kept = {key: value for key, value in os.environ.items() if key not in INHERITED}
    return kept | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


def given(line, environment):
    """The arguments that a printed command's program gets."""
    made = shell(line, cwd=ROOT, env=environment)
    return [os.fsdecode(word) for word in made.split(b"\0")[:-1]]


@pytest.mark.parametrize("name", [name for name in NAMES if "\n" not in name and name.strip("-r")])
def test_the_commands_at_a_runs_end_can_be_pasted(name, any_terminal, make_prints):
    lines = list(train._next_commands(RECIPES["cgan"], f"{name}/runs", f"{name}/exports"))
    options = SimpleNamespace(export_dir=f"{name}/exports", strategy="auto", devices=None)
    assert [line[:10].strip() for line in lines] == ["next", "", ""]
    board, generate, server = (given(line[10:], make_prints) for line in lines)
    assert board[-2:] == ["--logdir", f"{name}/runs"]
    assert generate == ["-m", "apps.generate", f"{name}/exports/cgan"]
    assert server == ["-m", "apps.serve", "cgan", "--saved-models", f"{name}/exports"]
    run = SimpleNamespace(recipe=RECIPES["cgan"], strategy=tf.distribute.get_strategy())
    line = train._resume_command(run, f"{name}/runs/x", options)
    resume = ["--resume", f"{name}/runs/x", "--export-dir", f"{name}/exports"]
    assert given(line, make_prints) == ["-m", "apps.train", "cgan", *resume]
    options.strategy, options.devices = "mirrored", "CPU:0,CPU:1"
    line = train._resume_command(run, f"{name}/runs/x", options)
    assert given(line, make_prints)[7:] == ["--strategy", "mirrored", "--devices", "CPU:0,CPU:1"]


def test_the_request_to_a_server_can_be_pasted(any_terminal, tmp_path):
    line = serve.example_request(SimpleNamespace(port=8501), "Anna's cats é", tmp_path)
    words = shell(f"set -- {line}; printf '%s\\n' \"$@\"").decode().splitlines()
    address = "http://localhost:8501/v1/models/Anna%27s%20cats%20%C3%A9/metadata"
    assert words == ["curl", address]
