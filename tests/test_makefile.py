"""What `make` runs for what a user types."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


# What `make test` hands down to the make of these tests: flags, and variables given to it.
INHERITED = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARGS")


def make(*words, **more):
    environment = {key: value for key, value in os.environ.items() if key not in INHERITED} | more
    return subprocess.run(
        ["make", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def planned(*words, tmp_path):
    """The commands of a target, its environment being ready."""
    ready = tmp_path / ".ready"
    ready.touch()
    done = make("-n", f"VENV={tmp_path}", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.replace(f"{tmp_path}/bin/python", "python").split()


@pytest.mark.parametrize("variant", ["gan", "dcgan", "cgan", "anything"])
def test_every_variant_trains_by_one_rule(variant, tmp_path):
    assert (
        planned(f"train-{variant}", tmp_path=tmp_path) == f"python -m apps.train {variant}".split()
    )


def test_variables_become_options(tmp_path):
    words = ["DATASET=mnist", "DATA_DIR=a b", "EPOCHS=20", "BATCH_SIZE=128", "NAME=mine"]
    command = planned("train-cgan", *words, "ARGS=--seed 1 --loss hinge", tmp_path=tmp_path)
    assert " ".join(command) == (
        'python -m apps.train cgan --dataset "mnist" --data-dir "a b" --epochs 20 '
        '--batch-size 128 --name "mine" --seed 1 --loss hinge'
    )


def test_workers_are_started_by_their_own_program(tmp_path):
    command = planned("train-dcgan", "WORKERS=2", "NAME=two", tmp_path=tmp_path)
    assert command == ["python", "-m", "apps.workers", "2", "dcgan", "--name", '"two"']


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["evaluate", "RUN=runs/mine"], "apps.evaluate runs/mine"),
        (["evaluate", "ARGS=--compare a b"], "apps.evaluate --compare a b"),
        (
            ["export", "RUN=runs/mine", "ARGS=--checkpoint last"],
            "apps.export runs/mine --checkpoint last",
        ),
        (["walk", "MODEL=gan"], "apps.walk saved_models/gan"),
        (
            ["translate", "INPUT=photos", "ARGS=--direction y-to-x"],
            'apps.translate saved_models/cyclegan "photos" --direction y-to-x',
        ),
        (["translate", "RUN=runs/c", "INPUT=a.jpg"], 'apps.translate runs/c "a.jpg"'),
        (["walk", "RUN=runs/mine", "ARGS=--classes"], "apps.walk runs/mine --classes"),
    ],
)
def test_what_is_done_with_a_run(words, command, tmp_path):
    assert planned(*words, tmp_path=tmp_path) == ["python", "-m", *command.split()]


def test_generate_takes_the_newest_export_or_a_run(tmp_path):
    command = planned("generate", "MODEL=gan", "ARGS=--count 4", tmp_path=tmp_path)
    assert command == ["python", "-m", "apps.generate", "saved_models/gan", "--count", "4"]
    command = planned("generate", "RUN=runs/mine", tmp_path=tmp_path)
    assert command == ["python", "-m", "apps.generate", "runs/mine"]


def test_help_names_every_command():
    text = make("help").stdout
    for command in ("train-cgan", "generate", "tensorboard", "serve", "test", "lint", "benchmark"):
        assert f"make {command}" in text
    assert make().stdout == text


def test_an_old_python_is_refused_in_one_line(tmp_path):
    old = tmp_path / "python2"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make("setup", f"VENV={tmp_path}/venv", f"PYTHON={old}")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("keras_gans needs Python 3.10 or newer")
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(("status", "extras"), [(0, "test,cuda"), (9, "test")])
def test_cuda_libraries_come_where_there_is_a_driver(tmp_path, status, extras):
    programs = {
        "nvidia-smi": f"exit {status}",
        # What makes the environment, and in it what installs into it.
        "python": f"""case "$2" in
            venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
            pip) echo "$@" >> {tmp_path}/installed ;;
            esac""",
    }
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = make("setup", f"VENV={tmp_path}/venv", f"PYTHON={tmp_path}/python", PATH=path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "installed").read_text().split()[-1] == f".[{extras}]"
    assert ("NVIDIA driver found" in done.stdout) == (status == 0)


def test_ci_runs_what_the_readme_says():
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert commands[-1] == "make test"
    assert "make test" in (ROOT / "README.md").read_text()
