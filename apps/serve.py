"""Serves the newest exports of a model: `python -m apps.serve cgan`.

Replaces itself by `tensorflow_model_server` where that is installed, else by its container.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

IMAGE = "docker.io/tensorflow/serving"
ENGINES = ("docker", "podman")
ENGINE_SECONDS = 5
HOW_TO_GET = (
    "neither tensorflow_model_server nor a running docker or podman was found: install "
    "tensorflow-model-server from https://www.tensorflow.org/tfx/serving/setup, or start docker "
    f"(it then runs the image {IMAGE})"
)


def main(arguments=None):
    """Starts the server in place of this process; returns only what went wrong, as status 2."""
    args = parse(arguments)
    folder = Path(args.saved_models).absolute() / args.model
    version = latest_version(folder)
    if version is None:
        return refuse(f"no exported version in {folder}: run `make train-{args.model}` first")
    command = server_command(args, folder)
    if command is None:
        return refuse(HOW_TO_GET)
    try:
        example = example_request(args, version)
    except (IndexError, KeyError, StopIteration, UnicodeDecodeError):
        return refuse(f"{version / 'saved_model.pb'} is damaged: remove {version} or export again")
    # The server keeps the terminal from here on.
    print(example, flush=True)
    return os.execvp(command[0], command)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m apps.serve", description="Serve a model.")
    parser.add_argument("model", help="name of its folder in saved_models, such as cgan")
    parser.add_argument("--saved-models", default="saved_models", metavar="FOLDER")
    parser.add_argument("--port", type=int, default=8501, help="REST port (default: %(default)s)")
    parser.add_argument("--grpc-port", type=int, default=8500, help="(default: %(default)s)")
    return parser.parse_args(arguments)


def refuse(message):
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
    return [
        f"--rest_api_port={args.port}",
        f"--port={args.grpc_port}",
        f"--model_name={args.model}",
        f"--model_base_path={folder}",
    ]


def engine_responds(engine):
    """Whether a container engine is installed and its daemon is up."""
    if not shutil.which(engine):
        return False
    try:
        done = subprocess.run(
            [engine, "info"], capture_output=True, timeout=ENGINE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def container_command(engine, args, folder):
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


def example_request(args, version):
    """A curl line that generates one image, or that lists what the model can do instead."""
    address = f"http://localhost:{args.port}/v1/models/{args.model}"
    names = signature_inputs(version).get("generate")
    if not names or not names <= {"seed", "label"}:
        return f"curl {address}/metadata"
    row = dict.fromkeys(sorted(names, reverse=True), 1)
    body = json.dumps({"signature_name": "generate", "instances": [row]})
    return f"curl -d '{body}' {address}:predict"


# The folder is read here and not with keras_gans.export: that takes TensorFlow, seconds and a
# screen of its notes, for a program that is about to be replaced.


def latest_version(folder):
    names = [path.parent.name for path in folder.glob("*/saved_model.pb")]
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    return folder / str(max(numbers)) if numbers else None


def signature_inputs(version):
    """Reads the names of the inputs of every signature: {"generate": {"seed", "label"}, ...}."""
    saved_model = (version / "saved_model.pb").read_bytes()
    # SavedModel.meta_graphs, MetaGraphDef.signature_def, its entries' key and value.
    graph = next(payload for number, payload in fields(saved_model) if number == 2)
    entries = [dict(fields(payload)) for number, payload in fields(graph) if number == 5]
    return {entry[1].decode(): input_names(entry.get(2, b"")) for entry in entries}


def input_names(signature):
    inputs = [dict(fields(payload)) for number, payload in fields(signature) if number == 1]
    return {entry[1].decode() for entry in inputs}


def fields(message):
    """Yields the number and payload of each length-delimited field of a protocol buffer."""
    place = 0
    while place < len(message):
        tag, place = varint(message, place)
        if tag & 7 == 2:
            size, place = varint(message, place)
            yield tag >> 3, message[place : place + size]
            place += size
        elif tag & 7 == 0:
            _, place = varint(message, place)
        else:
            place += {1: 8, 5: 4}[tag & 7]


def varint(message, place):
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place


if __name__ == "__main__":
    sys.exit(main())
