"""apps.serve as a user runs it, with the programs that its PATH search may find."""

import csv
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from apps import serve as program
from keras_gans.serving import export

pytestmark = pytest.mark.slow

NUMBERS = ", ".join(f"{label} is {label + 1}" for label in range(100))
ROOT = Path(__file__).parents[2]
LABEL = tf.TensorSpec([None], tf.int32, "label")
SEED = tf.TensorSpec([None], tf.int32, "seed")


class Model:
    class_names = picture_networks = None

    def __init__(self, name, function, specs):
        self.served = {name: (function, specs)}

    def signatures(self):
        return self.served


CONDITIONAL = Model(
    "generate", lambda seed, label: {"image": tf.cast(seed + label, tf.float32)}, [SEED, LABEL]
)
UNCONDITIONAL = Model("generate", lambda seed: {"image": tf.cast(seed, tf.float32)}, [SEED])
TRANSLATOR = Model(
    "serving_default",
    lambda image: {"image": -image},
    [tf.TensorSpec([None, 2, 2, 3], tf.float32, "image")],
)


@pytest.fixture(scope="module")
def saved_models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models")
    models = {"cgan": CONDITIONAL, "gan": UNCONDITIONAL, "cyclegan": TRANSLATOR}
    for name, model in models.items():
        export.publish(model, folder / name)
    return folder


@pytest.fixture
def programs(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def install(programs, name, ending="exit 0"):
    """Puts a program on the PATH that writes its arguments, one per line, and then ends."""
    program = programs / name
    program.write_text(f"""#!/bin/sh
printf '%s\\n' "$@" > "{programs}/{name}.$1.arguments"
{ending}
""")
    program.chmod(0o755)


def arguments(programs, name, first):
    return (programs / f"{name}.{first}.arguments").read_text().splitlines()


def serve(programs, saved_models, *options):
    return subprocess.run(
        [sys.executable, "-m", "apps.serve", *options, "--saved-models", str(saved_models)],
        cwd=ROOT,
        env={**os.environ, "PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )


def refusal(done):
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line


def test_the_server_on_the_path_takes_over(programs, saved_models):
    install(programs, "tensorflow_model_server", "exit 7")
    install(programs, "docker")
    done = serve(programs, saved_models, "cgan", "--port", "8601", "--grpc-port", "8600")
    assert (done.returncode, done.stderr) == (7, "")
    assert arguments(programs, "tensorflow_model_server", "--rest_api_port=8601") == [
        "--rest_api_port=8601",
        "--port=8600",
        "--model_name=cgan",
        f"--model_base_path={saved_models}/cgan",
    ]
    assert not list(programs.glob("docker.*"))


def test_a_relative_folder_reaches_the_server_absolute(programs, saved_models):
    install(programs, "tensorflow_model_server")
    done = serve(programs, os.path.relpath(saved_models, ROOT), "cgan")
    assert done.returncode == 0
    given = arguments(programs, "tensorflow_model_server", "--rest_api_port=8501")
    base = Path(given[-1].removeprefix("--model_base_path="))
    assert base.is_absolute()
    assert base.samefile(saved_models / "cgan")


@pytest.mark.parametrize(
    ("model", "row"), [("cgan", {"seed": 1, "label": 1}), ("gan", {"seed": 1})]
)
def test_the_request_to_try_fits_the_signature(programs, saved_models, model, row):
    install(programs, "tensorflow_model_server")
    (line,) = serve(programs, saved_models, model, "--port", "9000").stdout.splitlines()
    curl, option, body, address = shlex.split(line)
    assert (curl, option) == ("curl", "-d")
    assert json.loads(body) == {"signature_name": "generate", "instances": [row]}
    assert address == f"http://localhost:9000/v1/models/{model}:predict"
    generate = export.load(saved_models / model).signatures["generate"]
    assert set(generate.structured_input_signature[1]) == set(row)


@pytest.mark.parametrize(
    ("names", "meanings"),
    [
        (("ant", "bee"), "0 is ant, 1 is bee"),
        (("01", "02", "12"), "0 is 01, 1 is 02, 2 is 12"),
        (tuple(map(str, range(1, 131))), f"{NUMBERS}, and 30 more"),
        (("é", "\udcff", "a\nb"), r"0 is é, 1 is '\udcff', 2 is 'a\nb'"),
    ],
)
def test_it_says_what_a_label_means(programs, tmp_path, names, meanings):
    install(programs, "tensorflow_model_server")
    model = Model("generate", *CONDITIONAL.served["generate"])
    model.class_names = names
    export.publish(model, tmp_path / "cgan")
    said = serve(programs, tmp_path, "cgan").stdout
    first, request = said.splitlines()
    assert first == f"labels: {meanings}"
    assert request.startswith("curl -d ")


def test_an_export_without_notes_of_its_signatures_is_served(programs, saved_models, tmp_path):
    """As exports were that name their classes alone."""
    install(programs, "tensorflow_model_server")
    version = shutil.copytree(export.latest_version(saved_models / "cgan"), tmp_path / "cgan" / "1")
    notes = version / "assets.extra" / export.NOTES
    for write in (lambda: notes.write_text('{"class_names": null}'), notes.unlink):
        write()
        done = serve(programs, tmp_path, "cgan")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "curl http://localhost:8501/v1/models/cgan/metadata\n"


def test_it_starts_at_once_without_tensorflow(programs, saved_models):
    install(programs, "tensorflow_model_server")
    code = (
        "import os, sys; os.execvp = lambda *_: print('tensorflow' in sys.modules);"
        "from apps import serve; serve.main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "cgan", "--saved-models", str(saved_models)],
        cwd=ROOT,
        env={**os.environ, "PATH": str(programs)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_a_model_that_does_not_generate_is_asked_for_its_signatures(programs, saved_models):
    install(programs, "tensorflow_model_server")
    done = serve(programs, saved_models, "cyclegan")
    assert done.stdout == "curl http://localhost:8501/v1/models/cyclegan/metadata\n"


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_container_engine_that_answers_runs_the_server(programs, saved_models, engine):
    install(programs, engine)
    if engine == "podman":
        install(programs, "docker", "exit 1")
    done = serve(programs, saved_models, "cgan", "--port", "8601")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("curl -d")
    assert arguments(programs, engine, "run") == [
        *("run", "--rm", "--init", "--entrypoint", "tensorflow_model_server"),
        *("--publish", "8601:8601", "--publish", "8500:8500"),
        "--mount",
        f"type=bind,source={saved_models}/cgan,target=/models/cgan,readonly"
        # SELinux lets a container read what is labelled so; no option of docker's.
        + (",relabel=shared" if engine == "podman" else ""),
        "docker.io/tensorflow/serving",
        *("--rest_api_port=8601", "--port=8500", "--model_name=cgan"),
        "--model_base_path=/models/cgan",
    ]


@pytest.mark.parametrize("folder", ["cats, dogs", 'the "best", really'])
def test_a_container_sees_a_folder_of_any_name(programs, saved_models, folder, tmp_path):
    """The engines read the option as CSV."""
    install(programs, "podman")
    shutil.copytree(saved_models / "cgan", tmp_path / folder / "cgan")
    assert serve(programs, tmp_path / folder, "cgan").returncode == 0
    words = arguments(programs, "podman", "run")
    (fields,) = csv.reader([words[words.index("--mount") + 1]])
    assert dict(field.partition("=")[::2] for field in fields) == {
        "type": "bind",
        "source": f"{tmp_path / folder}/cgan",
        "target": "/models/cgan",
        "readonly": "",
        "relabel": "shared",
    }


@pytest.mark.parametrize("ending", ["exit 1", "exec /bin/sleep 60"])
def test_an_engine_whose_daemon_does_not_answer_is_as_good_as_none(
    programs, saved_models, ending, monkeypatch
):
    install(programs, "docker", ending)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(program, "ENGINE_SECONDS", 0.5)
    monkeypatch.setattr(program.os, "execvp", lambda *_: 1)  # would replace this process
    monkeypatch.setattr(program, "serve_embedded", lambda *_: 0)
    assert program.main(["cgan", "--saved-models", str(saved_models)]) == 0
    assert [path.name for path in programs.glob("*.arguments")] == ["docker.info.arguments"]


def test_a_model_that_was_never_exported_names_what_to_run(programs, saved_models):
    install(programs, "tensorflow_model_server")
    (saved_models / "vae" / ".tmp-1").mkdir(parents=True, exist_ok=True)
    for model in ("mine", "vae"):
        line = refusal(serve(programs, saved_models, model))
        assert f"no exported version in {saved_models}/{model}: " in line
        assert "make train-<variant>" in line
    assert not list(programs.glob("*.arguments"))


def test_a_damaged_version_is_named(programs, tmp_path):
    install(programs, "tensorflow_model_server")
    (tmp_path / "cgan" / "3").mkdir(parents=True)
    (tmp_path / "cgan" / "3" / "saved_model.pb").touch()
    line = refusal(serve(programs, tmp_path, "cgan"))
    assert f"{tmp_path}/cgan/3/saved_model.pb is damaged" in line
    (tmp_path / "cgan" / "3" / "saved_model.pb").write_bytes(b"graph")
    notes = tmp_path / "cgan" / "3" / "assets.extra" / export.NOTES
    notes.parent.mkdir()
    for text in ("{", "[]", '{"signatures": []}'):
        notes.write_text(text)
        assert f"{notes} is damaged" in refusal(serve(programs, tmp_path, "cgan"))


def test_a_wrong_option_ends_with_status_2(programs, saved_models):
    done = serve(programs, saved_models, "cgan", "--port", "rest")
    assert done.returncode == 2
    assert "invalid port value: 'rest'" in done.stderr
    done = serve(programs, saved_models, "cgan", "--grpc-port", "65536")
    assert done.returncode == 2
    assert "--grpc-port: must be from 0 to 65535. Received: 65536" in done.stderr


# Several models, versions, labels ----------------------------------------------------------------

NO_PORTS = ("--port", "0", "--grpc-port", "0")  # others of this machine may use the usual ones


def started(programs, saved_models, monkeypatch, tmp_path, *options):
    """Runs the program here, without the server; returns the command that it becomes."""
    install(programs, "tensorflow_model_server")
    became = []
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(program.os, "execvp", lambda _, command: became.append(command) or 0)
    monkeypatch.setattr(program, "serve_embedded", lambda *_: 0)
    assert program.main([*options, "--saved-models", str(saved_models)]) == 0
    return became[0] if became else None


def test_all_models_are_served_from_a_configuration(programs, saved_models, monkeypatch, tmp_path):
    command = started(programs, saved_models, monkeypatch, tmp_path, *NO_PORTS)
    (file,) = (word.partition("=")[2] for word in command if "model_config_file=" in word)
    text = Path(file).read_text()
    for name in ("cgan", "gan", "cyclegan"):
        assert f'base_path: "{saved_models}/{name}"' in text


def test_a_container_sees_models_and_configuration(programs, saved_models, monkeypatch, tmp_path):
    install(programs, "docker")
    (version,) = (saved_models / "cgan").iterdir()
    options = ["cgan", "--label", f"stable={version.name}", *NO_PORTS]
    monkeypatch.setattr(program.shutil, "which", lambda name: "docker" in name)
    command = started(programs, saved_models, monkeypatch, tmp_path, *options)
    assert f"type=bind,source={saved_models},target=/models,readonly" in command
    assert f"type=bind,source={tmp_path}/generated/serving/0,target=/config,readonly" in command
    assert "--model_config_file=/config/models.config" in command
    text = (tmp_path / "generated" / "serving" / "0" / "models.config").read_text()
    assert 'base_path: "/models/cgan"' in text
    assert f'version_labels {{ key: "stable" value: {version.name} }}' in text


def test_files_for_production_are_written_and_nothing_started(
    programs, saved_models, monkeypatch, tmp_path
):
    options = ["cgan", "--write-config", "deploy", "--batching"]
    assert started(programs, saved_models, monkeypatch, tmp_path, *options) is None
    names = {"models.config", "batching.config", "monitoring.config"}
    assert {path.name for path in (tmp_path / "deploy").iterdir()} == {
        *names,
        "docker-compose.yml",
        "kubernetes.yaml",
    }


def test_a_second_server_leaves_the_configuration_of_the_first(
    programs, saved_models, monkeypatch, tmp_path, capsys
):
    (version,) = (saved_models / "cgan").iterdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        first, second = str(listener.getsockname()[1]), "0"
    pinned = ["cgan", "--version", version.name, "--port", first]
    (config,) = configurations(started(programs, saved_models, monkeypatch, tmp_path, *pinned))
    text = config.read_text()
    with socket.create_server(("127.0.0.1", int(first))):  # now it runs
        options = ["gan", "--batching", "--grpc-port", "0", "--port"]
        words = [*options, second]
        (other,) = configurations(started(programs, saved_models, monkeypatch, tmp_path, *words))
        assert 'name: "gan"' in other.read_text()
        assert program.main([*options, first, "--saved-models", str(saved_models)]) == 2
    assert f"serve: port {first} is taken" in capsys.readouterr().err
    assert config.read_text() == text


def configurations(command):
    option = "--model_config_file="
    return [Path(word.removeprefix(option)) for word in command if word.startswith(option)]


def test_a_configuration_that_cannot_be_written_is_one_line(
    programs, saved_models, monkeypatch, tmp_path, capsys
):
    install(programs, "tensorflow_model_server")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "generated").touch()
    assert program.main([*NO_PORTS, "--saved-models", str(saved_models)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"serve: cannot write {tmp_path}/generated/serving/0: Not a directory"


def made(saved_models, tmp_path, numbers, rows):
    """Versions of the conditional GAN by number, each of so many rows."""
    (version,) = (saved_models / "cgan").iterdir()
    for number, limit in zip(numbers, rows, strict=True):
        path = shutil.copytree(version, tmp_path / "cgan" / str(number))
        notes = path / "assets.extra" / export.NOTES
        notes.write_text(json.dumps({**json.loads(notes.read_text()), "limits": {"rows": limit},
                                     "class_names": [f"of {number}"]}))  # fmt: skip
    return tmp_path


@pytest.mark.parametrize(("pins", "shown"), [
    (["--version", "100"], 100),
    (["--label", "stable=100", "--version", "90"], 100),
])  # fmt: skip
def test_a_pinned_version_is_served_though_the_newest_is_damaged(
    programs, saved_models, monkeypatch, tmp_path, capsys, pins, shown
):
    folder = made(saved_models, tmp_path, (90, 100, 200), (32, 32, 32))
    (folder / "cgan" / "200" / "saved_model.pb").write_bytes(b"")
    started(programs, folder, monkeypatch, tmp_path, "cgan", *pins, *NO_PORTS)
    assert f"labels: 0 is of {shown}\n" in capsys.readouterr().out
    for words in ([], ["--version", "200"], ["--label", "canary=200", "--version", "100"]):
        assert program.main(["cgan", *words, "--saved-models", str(folder)]) == 2
        assert "200/saved_model.pb is damaged: remove" in capsys.readouterr().err


@pytest.mark.parametrize(("pins", "rows"), [
    ([], 16),
    (["--version", "100"], 8),
    (["--label", "stable=100", "--label", "canary=90"], 4),
])  # fmt: skip
def test_batches_are_no_larger_than_the_versions_that_are_served_take(
    programs, saved_models, monkeypatch, tmp_path, pins, rows
):
    folder = made(saved_models, tmp_path, (90, 100, 200), (4, 8, 16))
    words = ["cgan", "--batching", "--write-config", "deploy", *pins]
    started(programs, folder, monkeypatch, tmp_path, *words)
    text = (tmp_path / "deploy" / "batching.config").read_text()
    assert f"max_batch_size {{ value: {rows} }}" in text


@pytest.mark.parametrize("words", ["{0}/cgan", "{0}/cgan/", "cgan/ --saved-models {0}"])
def test_a_model_is_named_by_its_folder_too(programs, saved_models, monkeypatch, tmp_path, words):
    install(programs, "tensorflow_model_server")
    became = []
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(program.os, "execvp", lambda _, command: became.append(command) or 0)
    assert program.main(words.format(saved_models).split()) == 0
    (command,) = became
    assert command[-2:] == ["--model_name=cgan", f"--model_base_path={saved_models}/cgan"]


def test_a_folder_with_zeros_in_front_is_no_version(programs, saved_models, monkeypatch, tmp_path):
    folder = made(saved_models, tmp_path, ("007", 3), (1, 2))
    assert program.latest_version(folder / "cgan").name == "3"
    shutil.rmtree(folder / "cgan" / "3")
    assert program.exported(folder) == {}


def test_ctrl_c_ends_it_in_one_line(programs, saved_models, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "serve_embedded", interrupted)
    assert program.main(["--embedded", "cgan", "--saved-models", str(saved_models)]) == 130
    assert capsys.readouterr().err == "serve: interrupted\n"


def test_a_file_where_the_folder_should_be_is_one_line(saved_models, tmp_path, capsys):
    (tmp_path / "file").touch()
    for place in ("file", "file/x"):
        options = ["cgan", "--write-config", str(tmp_path / place)]
        assert program.main([*options, "--saved-models", str(saved_models)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"cannot write {tmp_path / place}: " in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["cgan", "--label", "stable"], "--label must be NAME=NUMBER. Received: stable"),
        (["cgan", "--label", "stable=1"], "no version 1 of cgan"),
        (["cgan", "--version", "1"], "no version 1 of cgan"),
        (["--version", "1"], "need the name of a model"),
    ],
)
def test_versions_that_are_not_there_are_refused(saved_models, capsys, options, words):
    assert program.main([*options, "--saved-models", str(saved_models)]) == 2
    assert words in capsys.readouterr().err
