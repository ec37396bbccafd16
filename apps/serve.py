"""Serves the newest exports of a model: `python -m apps.serve cgan`.

Replaces itself by `tensorflow_model_server` where that is installed, else by its container.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

from apps.terminal import accept_any_text, command_line

IMAGE = "docker.io/tensorflow/serving"
ENGINES = ("docker", "podman")
ENGINE_SECONDS = 5
NAMED_LABELS = 100
HOW_TO_GET = (
    "neither tensorflow_model_server nor a running docker or podman was found: install "
    "tensorflow-model-server from https://www.tensorflow.org/tfx/serving/setup, or start docker "
    f"(it then runs the image {IMAGE})"
)


def main(arguments=None):
    """Starts the server in place of this process; returns only what went wrong, as status 2."""
    accept_any_text()
    args = parse(arguments)
    folder = Path(args.saved_models).absolute() / args.model
    version = latest_version(folder)
    if version is None:
        return refuse(f"no exported version in {folder}: run `make train-{args.model}` first")
    if (command := server_command(args, folder)) is None:
        return refuse(HOW_TO_GET)
    try:
        example = [*label_meanings(version), example_request(args, version)]
        damaged = None if (version / "saved_model.pb").stat().st_size else "saved_model.pb"
    except (OSError, ValueError, AttributeError):
        damaged = "assets.extra/keras_gans.json"
    if damaged:
        return refuse(f"{version / damaged} is damaged: remove {version} or export again")
    # The server keeps the terminal from here on.
    print(*example, sep="\n", flush=True)
    return os.execvp(command[0], command)


def parse(arguments):
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m apps.serve", description="Serve a model.")
    parser.add_argument("model", help="name of its folder in saved_models, such as cgan")
    parser.add_argument("--saved-models", default="saved_models", metavar="FOLDER")
    parser.add_argument("--port", type=int, default=8501, help="REST port (default: %(default)s)")
    parser.add_argument("--grpc-port", type=int, default=8500, help="(default: %(default)s)")
    return parser.parse_args(arguments)


def refuse(message):
    """Prints a user's mistake in one line; returns the exit status, 2."""
    print(f"serve: {message}", file=sys.stderr)
    return 2


# The server ----------------------------------------------------------------------------------


def server_command(args, folder):
    """The command line of the server or of its container; None where there is neither."""
    if shutil.which("tensorflow_model_server"):
        return ["tensorflow_model_server", *server_options(args, folder)]
    engine = next((engine for engine in ENGINES if engine_responds(engine)), None)
    return engine and container_command(engine, args, folder)


def server_options(args, folder):
    """The server's options, with the models in `folder` as the server sees it."""
    ports = f"--rest_api_port={args.port}", f"--port={args.grpc_port}"
    return [*ports, f"--model_name={args.model}", f"--model_base_path={folder}"]


def engine_responds(engine):
    """Whether a container engine is installed and its daemon is up."""
    if not shutil.which(engine):
        return False
    info = {"capture_output": True, "timeout": ENGINE_SECONDS, "check": False}
    try:
        return subprocess.run([engine, "info"], **info).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def container_command(engine, args, folder):
    """The command line that runs the server in a container, which reads `folder` as it is."""
    inside = f"/models/{args.model}"
    return [
        *(engine, "run", "--rm"),
        # A first process ignores Ctrl-C unless it asks for it; --init puts one in front.
        *("--init", "--entrypoint", "tensorflow_model_server"),
        *("--publish", f"{args.port}:{args.port}"),
        *("--publish", f"{args.grpc_port}:{args.grpc_port}"),
        *("--mount", f"type=bind,source={folder},target={inside},readonly"),
        *(IMAGE, *server_options(args, inside)),
    ]


# What to ask it ------------------------------------------------------------------------------


def label_meanings(version):
    """Yields a line that says which class each label is, if the model takes labels."""
    names = read_notes(version).get("class_names") or []
    # Folders, and so classes, can have names of several lines, or that are no text.
    shown = [name if name.isprintable() else repr(name) for name in names[:NAMED_LABELS]]
    words = [f"{label} is {name}" for label, name in enumerate(shown)]
    words += [f"and {len(names) - NAMED_LABELS:,} more"] * (len(names) > NAMED_LABELS)
    if words:
        # What the terminal cannot write.
        text = f"labels: {', '.join(words)}".encode(sys.stdout.encoding, "backslashreplace")
        yield text.decode(sys.stdout.encoding)


def read_notes(version):
    """Reads the notes beside a version, a dict; empty for exports that have none."""
    path = version / "assets.extra" / "keras_gans.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def example_request(args, version):
    """Returns a curl line that generates one image, or that lists what the model can do instead."""
    address = f"http://localhost:{args.port}/v1/models/{urllib.parse.quote(args.model)}"
    names = set(read_notes(version).get("signatures", {}).get("generate", {}).get("inputs", ()))
    if not names or not names <= {"seed", "label"}:
        return command_line("curl", f"{address}/metadata")
    row = dict.fromkeys(sorted(names, reverse=True), 1)
    body = json.dumps({"signature_name": "generate", "instances": [row]})
    return command_line("curl", "-d", body, f"{address}:predict")


# The folder is read here and not with keras_gans.serving: that takes TensorFlow, seconds and a
# screen of its notes, for a program that is about to be replaced.


def latest_version(folder):
    """Finds the export with the largest version number; None where there is none."""
    names = [path.parent.name for path in folder.glob("*/saved_model.pb")]
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    return folder / str(max(numbers)) if numbers else None


if __name__ == "__main__":
    sys.exit(main())
