"""What `make` runs for what a user types."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pip
import pytest
import yaml

from keras_gans.recipes import RECIPES
from tests.tensorboard_process import MORE_PICTURES

ROOT = Path(__file__).parents[1]


# What `make test` hands down to the make of these tests: flags, and variables given to it.
INHERITED = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARGS", "PYTHON")


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
        "python -m apps.train cgan --dataset 'mnist' --data-dir 'a b' --epochs '20' "
        "--batch-size '128' --name 'mine' --seed 1 --loss hinge"
    )


def test_workers_are_started_by_their_own_program(tmp_path):
    command = planned("train-dcgan", "WORKERS=2", "NAME=two", tmp_path=tmp_path)
    assert command == ["python", "-m", "apps.workers", "2", "dcgan", "--name", "'two'"]


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["evaluate", "RUN=runs/mine"], "apps.evaluate 'runs/mine'"),
        (["evaluate", "ARGS=--compare a b"], "apps.evaluate --compare a b"),
        (
            ["export", "RUN=runs/mine", "ARGS=--checkpoint last"],
            "apps.export 'runs/mine' --checkpoint last",
        ),
        (["walk", "MODEL=gan"], "apps.walk saved_models/'gan'"),
        (["theory"], "apps.theory"),
        (["theory", "CLAIM=modes"], "apps.theory --claim 'modes'"),
        (
            ["translate", "INPUT=photos", "ARGS=--direction y-to-x"],
            "apps.translate saved_models/cyclegan 'photos' --direction y-to-x",
        ),
        (["translate", "RUN=runs/c", "INPUT=a.jpg"], "apps.translate 'runs/c' 'a.jpg'"),
        (["walk", "RUN=runs/mine", "ARGS=--classes"], "apps.walk 'runs/mine' --classes"),
        (["project", "RUN=runs/mine", "INPUT=a.png"], "apps.project 'runs/mine' 'a.png'"),
        (["client", "ARGS=--label 7"], "apps.client generate --model cgan --label 7"),
        (["explore", "ARGS=--port 81"], "apps.explore --port 81"),
    ],
)
def test_what_is_done_with_a_run(words, command, tmp_path):
    assert planned(*words, tmp_path=tmp_path) == ["python", "-m", *command.split()]


def test_generate_takes_the_newest_export_or_a_run(tmp_path):
    command = planned("generate", "MODEL=gan", "ARGS=--count 4", tmp_path=tmp_path)
    assert command == ["python", "-m", "apps.generate", "saved_models/'gan'", "--count", "4"]
    command = planned("generate", "RUN=runs/mine", tmp_path=tmp_path)
    assert command == ["python", "-m", "apps.generate", "'runs/mine'"]


@pytest.fixture
def ready(tmp_path):
    """Words for make: an environment whose python prints what it is given, each on a line."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    (tmp_path / "bin" / "python").chmod(0o755)
    (tmp_path / ".ready").touch()
    return [f"VENV={tmp_path}"]


ODD_NAMES = (
    "My Drive/Anna's cats",
    'the "best" $HOME $5 $(shell ls) $$',
    "a#b;c&d|e>f*?[g]~`h`",
    "back\\slash, (brackets) a=b :=%",
    "Größe 猫",
)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_reach_a_program_as_they_are(name, ready):
    for words, before in (
        (["evaluate", f"RUN={name}"], ["apps.evaluate"]),
        (["export", f"RUN={name}"], ["apps.export"]),
        (["walk", f"RUN={name}"], ["apps.walk"]),
        (["generate", f"RUN={name}"], ["apps.generate"]),
        (["serve", f"MODEL={name}"], ["apps.serve"]),
        (["client", f"MODEL={name}"], ["apps.client", "generate", "--model"]),
        (["translate", f"INPUT={name}"], ["apps.translate", "saved_models/cyclegan"]),
        (["train-vae", f"DATASET=folder:{name}"], ["apps.train", "vae", "--dataset"]),
        (["train-vae", f"NAME={name}"], ["apps.train", "vae", "--name"]),
        (["results", f"DATA_DIR={name}"], ["apps.results", "--data-dir"]),
    ):
        done = make(*ready, *words, "ARGS=--seed 1 '$x'")
        assert done.stderr == ""
        *start, given, _, _, dollar = done.stdout.splitlines()
        assert start == ["-m", *before]
        assert given == words[1].partition("=")[2]
        assert dollar == "$x"


def test_a_name_may_come_from_the_environment(ready):
    assert make(*ready, "export", RUN="it's $5").stdout.splitlines()[-1] == "it's $5"


def test_the_dashboard_shows_more_than_ten_pictures_of_a_kind(ready):
    """TensorBoard's own ten would be two in a hundred epochs."""
    words = make(*ready, "tensorboard", "PORT=6007").stdout.splitlines()
    assert words[2:] == ["--logdir", "runs", "--port", "6007", *MORE_PICTURES]


def test_help_names_every_command_on_one_screen():
    text = make("help").stdout
    (phony,) = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.M)
    targets = {*phony.replace("\\", "").split(), "train-cgan"} - {"help"}
    assert [target for target in sorted(targets) if f"make {target}" not in text] == []
    assert [variant for variant in RECIPES if f"train-{variant}" not in text] == []
    assert re.findall(r"^\w+$", text, re.M) == ["Train", "Look", "Use", "Measure", "Develop"]
    assert len(text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 100
    assert make().stdout == text


@pytest.mark.parametrize(
    ("target", "flags"), [("test", []), ("test-fast", ["-m", '"not', 'slow"'])]
)
def test_tests_run_on_all_cores(target, flags, tmp_path):
    command = planned(target, "ARGS=-x", tmp_path=tmp_path)
    assert command == ["python", "-m", "pytest", "-n", "auto", "--dist", "worksteal", *flags, "-x"]


def test_results_are_remade_by_their_own_program(tmp_path):
    command = planned(
        "results", "DATA_DIR=a b", "EPOCHS=2", "ARGS=--variants gan", tmp_path=tmp_path
    )
    assert " ".join(command) == (
        "python -m apps.results --data-dir 'a b' --epochs '2' --variants gan"
    )


def test_hooks_mend_what_lint_checks(tmp_path):
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = [" ".join(hook["entry"].split()[:4]) for hook in repository["hooks"]]
    checks = " ".join(planned("lint", tmp_path=tmp_path)).split("python -m ")[1:]
    assert hooks == [f".venv/bin/python -m {' '.join(check.split()[:2])}" for check in checks]


def write_program(path, script):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_another_python_is_refused_in_one_line(tmp_path):
    """It has no TensorFlow; the environment that is there stays."""
    other = write_program(tmp_path / "python", '[ "$1" = -V ] && echo Python 3.14.0; exit 1')
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    kept = write_program(tmp_path / "venv" / "bin" / "python", "echo one of 3.12")
    done = make("setup", f"VENV={tmp_path}/venv", f"PYTHON={other}")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "keras_gans needs Python 3.10, 3.11, 3.12 or 3.13, as TensorFlow does: "
        "make PYTHON=python3.12 ... Received: Python 3.14.0"
    )
    assert kept.exists()
    missing = make("setup", f"VENV={tmp_path}/venv", "PYTHON=/no/python")
    assert missing.returncode == 2
    assert "keras_gans needs Python 3.10, 3.11, 3.12 or 3.13" in missing.stderr


@pytest.mark.parametrize(
    ("version", "status"), [((3, 9), 1), ((3, 10), 0), ((3, 13, 9), 0), ((3, 14), 1)]
)
def test_the_versions_of_python_are_those_of_the_package(version, status):
    (code,) = re.findall(r"^supported := (.*)", (ROOT / "Makefile").read_text(), re.M)
    words = [sys.executable, "-c", f"import sys; sys.version_info = {version}; {code}"]
    assert subprocess.run(words, check=False).returncode == status
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert config["options"]["python_requires"] == ">=3.10, <3.14"


def make_setup(folder, *words, driver=False, python="python", imported=0, **more):
    """Runs `make setup` with programs that only write down what they are asked to install."""
    write_program(folder / "nvidia-smi", f"exit {0 if driver else 9}")
    # What makes the environment, and in it what installs into it.
    script = f"""case "$2" in
        venv) rm -rf "$4"; mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
        pip) echo "$@" >> {folder}/installed; env > {folder}/environment ;;
        "import apps"*) exit {imported} ;;
        *sys.base_prefix*) grep -q "^# the-other" "$0" && echo other || echo one ;;
        esac"""
    for name in ("python", "the-other"):
        write_program(folder / name, f"# {name}\n{script}")
    path = f"{folder}:{os.environ['PATH']}"
    variables = [f"VENV={folder}/venv", f"PYTHON={folder}/{python}"]
    done = make("setup", *variables, *words, PATH=path, **more)
    if imported:
        return done
    assert done.returncode == 0, done.stderr
    installed = (folder / "installed").read_text().splitlines()
    return done.stdout, [line.split()[-1] for line in installed]


@pytest.mark.parametrize(("driver", "extras"), [(True, "test,cuda"), (False, "test")])
def test_cuda_libraries_come_where_there_is_a_driver(tmp_path, driver, extras):
    printed, installed = make_setup(tmp_path, driver=driver)
    assert installed == [f".[{extras}]"]
    assert ("NVIDIA driver found" in printed) == driver


def test_more_extras_come_when_asked_for(tmp_path):
    make_setup(tmp_path)
    for _ in range(2):  # once is enough
        _, installed = make_setup(tmp_path, "EXTRAS=test-cluster,test-browser")
        assert installed == [".[test]", ".[test,test-cluster,test-browser]"]


def test_with_more_extras_an_environment_is_ready_for_every_target(tmp_path):
    make_setup(tmp_path, "EXTRAS=test-cluster")
    _, installed = make_setup(tmp_path)
    assert installed == [".[test,test-cluster]"]


def test_another_interpreter_makes_the_environment_anew(tmp_path):
    """As after an attempt with the first one that failed."""
    make_setup(tmp_path)
    (tmp_path / "venv" / "of the first one").touch()
    make_setup(tmp_path)
    assert (tmp_path / "venv" / "of the first one").exists()
    _, installed = make_setup(tmp_path, python="the-other")
    assert not (tmp_path / "venv" / "of the first one").exists()
    assert installed == [".[test]"] * 2
    # Without one asked for by name, the environment's own is kept.
    done = make("-n", "setup", f"VENV={tmp_path}/venv")
    assert "Setting up" not in done.stdout


def test_a_pythonhome_of_other_software_does_not_hide_which_interpreter_is_asked_for(tmp_path):
    """With it an interpreter cannot start; what tells two apart is asked of real ones."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    (tmp_path / ".ready").touch()
    for python, planned in ((sys.executable, False), (f"{tmp_path}/other", True)):
        write_program(tmp_path / "other", "echo another")
        words = ("-n", "setup", f"VENV={tmp_path}", f"PYTHON={python}")
        done = make(*words, PYTHONHOME="/nowhere")
        assert done.stderr == ""
        assert ("Setting up" in done.stdout) == planned


def test_an_environment_without_its_packages_is_not_ready(tmp_path):
    for _ in range(2):
        done = make_setup(tmp_path, imported=1)
        assert done.returncode == 2
        assert "The packages are installed, but cannot be imported" in done.stderr
        assert not list((tmp_path / "venv").glob(".ready*"))


def test_what_pip_is_told_for_all_environments_does_not_lead_it_elsewhere(tmp_path):
    places = {"PIP_TARGET": "/a", "PIP_PREFIX": "/b", "PIP_ROOT": "/c", "PIP_PYTHON": "/d"}
    switches = {"PIP_USER": "true", "PIP_NO_DEPS": "1", "PIP_DRY_RUN": "1"}
    index = {"PIP_INDEX_URL": "https://mirror/simple"}
    make_setup(tmp_path, **places, **switches, **index)
    seen = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines())
    assert {key: seen.get(key) for key in places} == dict.fromkeys(places)
    assert {key: seen[key] for key in switches} == dict.fromkeys(switches, "0")
    assert seen["PIP_INDEX_URL"] == "https://mirror/simple"


@pytest.mark.slow
def test_pips_own_files_do_not_lead_it_elsewhere(tmp_path):
    """With the real pip, whose files can say all that its variables can."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    # Copied: to install it takes longer than the whole test.
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    shutil.copytree(Path(pip.__file__).parent, packages / "pip")
    wheel = tmp_path / "toy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toy.py", "")
        archive.writestr(
            "toy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n"
        )
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("toy-1.0.dist-info/WHEEL", tag)
        archive.writestr("toy-1.0.dist-info/RECORD", "")
    here = set(ROOT.iterdir())
    install = ["--eval", "x:; @$(pip_install) --no-index --force-reinstall $(WHEEL)", "x"]
    place = tmp_path / "elsewhere"
    lines = [f"{option}={place}" for option in ("prefix", "target", "root")]
    lines += [f"{switch}=1" for switch in ("user", "no-deps", "dry-run")]
    (tmp_path / "pip.conf").write_text("\n".join(["[install]", *lines, ""]))
    settings = {"PIP_CONFIG_FILE": f"{tmp_path}/pip.conf"}
    done = make(f"VENV={tmp_path}/venv", f"WHEEL={wheel}", *install, **settings)
    assert done.returncode == 0, done.stderr
    assert (packages / "toy.py").exists()
    assert not place.exists()
    assert set(ROOT.iterdir()) == here


def test_what_other_software_sets_for_python_reaches_no_program(tmp_path):
    other = {"PYTHONPATH": "/opt/ros", "PYTHONHOME": "/usr/other", "PYTHONSAFEPATH": "1"}
    (tmp_path / "bin").mkdir()
    write_program(tmp_path / "bin" / "python", "env")
    (tmp_path / ".ready").touch()
    for target in ("train-gan", "test", "tensorboard"):
        done = make(f"VENV={tmp_path}", target, **other)
        assert done.returncode == 0
        assert "PATH=" in done.stdout
        assert not re.search("^PYTHON(PATH|HOME|SAFEPATH)=", done.stdout, re.M)


def test_ci_runs_what_the_readme_says_and_skips_no_test():
    *_, newest, setup, test = (ROOT / ".ci" / "run").read_text().splitlines()
    assert test == "make test"
    assert "make test" in (ROOT / "README.md").read_text()
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    extras = [name for name in config["options.extras_require"] if name.startswith("test-")]
    assert extras
    version = newest.partition("PYTHON=python")[2].partition(";")[0]
    assert f"<3.{int(version.split('.')[1]) + 1}" in config["options"]["python_requires"]
    assert setup == f"make setup EXTRAS={','.join(extras)}"
