"""Serves the newest exports, of one model or of all: `python -m apps.serve cgan`.

Replaces itself by `tensorflow_model_server` where that is installed, else by its container. Where
there is neither it serves the exports itself, with TensorFlow, for trying.
"""

import argparse
import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path

from apps import serve_config
from apps.terminal import accept_any_text, command_line

GENERATED = "generated/serving"  # configurations of servers that are started here
ENGINES = ("docker", "podman")
ENGINE_SECONDS = 5
NAMED_LABELS = 100
LARGEST_PORT = 65_535
HOW_TO_GET = (
    "for production install tensorflow-model-server from "
    f"https://www.tensorflow.org/tfx/serving/setup, or start docker (image {serve_config.IMAGE})"
)


def main(arguments=None):
    """Becomes the real server, or is the embedded one; returns a status if it comes to an end."""
    accept_any_text()
    args = parse(arguments)
    try:
        return start(args)
    except KeyboardInterrupt:  # until a server has taken over
        print("serve: interrupted", file=sys.stderr)
        return 130


def start(args):
    """Does what was asked for, as `main`."""
    saved_models = Path(args.saved_models).absolute()
    if args.model:
        path = Path(args.model)
        # As the other programs take it too: saved_models/cgan, cgan/.
        saved_models = saved_models if len(path.parts) == 1 else path.absolute().parent
        args.model = path.absolute().name
    try:
        labels = read_labels(args.label)
        versions = find_versions(args, labels, saved_models)
        examined = [
            [examine(args, name, version) for version in paths] for name, paths in versions.items()
        ]
        served = serve_config.Served(
            models={name: int(paths[-1].name) for name, paths in versions.items()},
            versions=tuple(args.version),
            labels=labels,
            port=args.port,
            grpc_port=args.grpc_port,
            allow_origins=bool(args.allow_origin),
            batching=args.batching,
            rows=min(rows for found in examined for rows, _ in found),
        )
        if args.write_config:
            print(*serve_config.write_files(args.write_config, served, saved_models), sep="\n")
            return 0
        command = None if args.embedded else server_command(served, saved_models)
    except ValueError as error:
        return refuse(error)
    for found in examined:
        _, example = found[-1]  # of the version that answers who names none
        print(*example, sep="\n")
    # The server keeps the terminal from here on.
    sys.stdout.flush()
    return os.execvp(command[0], command) if command else serve_embedded(args, served, saved_models)


def parse(arguments):
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m apps.serve",
        description="Serve exports: by tensorflow_model_server, else by its container, else by the "
        "embedded server.",
    )
    add = parser.add_argument
    add("model", nargs="?", help="its folder in saved_models, such as cgan; default: all")
    add("--saved-models", default="saved_models", metavar="FOLDER")
    add("--port", type=port, default=8501, help="REST port (default: %(default)s)")
    add("--grpc-port", type=port, default=8500, help="(default: %(default)s)")
    text = "a version to serve instead of the newest; can be repeated"
    add("--version", action="append", type=int, default=[], metavar="NUMBER", help=text)
    text = "serve a version by a name too, as stable=1795704597; can be repeated"
    add("--label", action="append", default=[], metavar="NAME=NUMBER", help=text)
    text = "origin of pages that may ask, * for any; can be repeated (default: none)"
    add("--allow-origin", action="append", default=[], metavar="ORIGIN", help=text)
    add("--batching", action="store_true", help="of the real server: run requests together")
    text = "write configurations, Compose and Kubernetes files for the real server, and end"
    add("--write-config", metavar="FOLDER", help=text)
    add("--embedded", action="store_true", help="the embedded server, whatever is installed")
    text = "address that the embedded server listens on (default: %(default)s)"
    add("--host", default="127.0.0.1", help=text)
    return parser.parse_args(arguments)


def port(word):
    """Reads the number of a port, for `argparse`."""
    if not 0 <= (number := int(word)) <= LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"must be from 0 to {LARGEST_PORT}. Received: {word}")
    return number


def read_labels(texts):
    """Reads `--label`, as `{label: number}`."""
    labels = {}
    for text in texts:
        label, _, number = text.partition("=")
        if not (label and number.isascii() and number.isdigit()):
            raise ValueError(f"--label must be NAME=NUMBER. Received: {text}")
        labels[label] = int(number)
    return labels


def find_versions(args, labels, saved_models):
    """Finds what to serve, `{model: [paths of versions, ascending]}`; ValueError if not there."""
    numbers = sorted({*args.version, *labels.values()})
    if not args.model:
        if numbers:
            raise ValueError("--version and --label need the name of a model")
        if newest := exported(saved_models):
            return {name: [version] for name, version in newest.items()}
        raise ValueError(f"no exported version in {saved_models}: run `make train-cgan` first")
    folder = saved_models / args.model
    newest = latest_version(folder)
    if not newest:
        raise ValueError(
            f"no exported version in {folder}: train a model, `make train-<variant>`, or export a "
            "run, `make export RUN=runs/<name>`, first"
        )
    for number in numbers:
        if not (folder / str(number) / "saved_model.pb").exists():
            raise ValueError(f"no version {number} of {args.model} in {folder}")
    return {args.model: [folder / str(number) for number in numbers] or [newest]}


def refuse(message):
    """Prints a user's mistake in one line; returns the exit status, 2."""
    print(f"serve: {message}", file=sys.stderr)
    return 2


def serve_embedded(args, served, saved_models):
    """Serves by TensorFlow in this process until it is stopped; returns the exit status."""
    print(f"the embedded server, for trying and developing; {HOW_TO_GET}", flush=True)
    import apps.quiet  # noqa: F401
    from keras_gans.errors import InputError
    from keras_gans.serving import server

    settings = server.Settings(
        host=args.host,
        port=args.port,
        grpc_port=args.grpc_port,
        allow_origins=tuple(args.allow_origin),
    )
    store = server.ModelStore(saved_models, args.model, served.pinned, served.labels)
    store.poll()
    for name, model in store.models.items():
        for number, (_, code, message) in model.states.items():
            if code:
                print(f"serve: {name} {number} is not served: {message}", file=sys.stderr)
    if not any(model.loaded for model in store.models.values()):
        return refuse("no version could be loaded")

    def announce(port, grpc_port):
        print(f"serving   http://{args.host}:{port}/v1/models, gRPC {args.host}:{grpc_port}")
        sys.stdout.flush()

    try:
        server.serve(store, settings, announce)
    except InputError as error:
        return refuse(error)
    return 0


# The server ----------------------------------------------------------------------------------


def server_command(served, saved_models):
    """The command line of the server or of its container; None where there is neither."""
    if shutil.which("tensorflow_model_server"):
        return ["tensorflow_model_server", *server_options(served, str(saved_models), None)]
    engine = next((engine for engine in ENGINES if engine_responds(engine)), None)
    return engine and container_command(engine, served, saved_models)


def server_options(served, models, config):
    """The server's options, with the models and `config` in folders as the server sees them.

    One model and always its newest version is said without a file.
    """
    plain = len(served.models) == 1 and not served.pinned
    if not plain or served.batching or served.allow_origins:
        folder = config_folder(served)
        check_free(int(folder.name))
        serve_config.write(folder, serve_config.make_configs(served, models))
        return serve_config.server_options(served, config or folder)
    (name,) = served.models
    ports = f"--rest_api_port={served.port}", f"--port={served.grpc_port}"
    return [*ports, f"--model_name={name}", f"--model_base_path={models}/{name}"]


def config_folder(served):
    """The folder of a server's configurations: its own, as its port is, for it reads on in it."""
    return Path(GENERATED, str(served.port or served.grpc_port)).absolute()


def check_free(port):
    """Raises ValueError if a server listens on a port."""
    with socket.socket() as probe:
        if not probe.connect_ex(("127.0.0.1", port)):
            raise ValueError(f"port {port} is taken: choose others by --port and --grpc-port")


def engine_responds(engine):
    """Whether a container engine is installed and its daemon is up."""
    if not shutil.which(engine):
        return False
    info = {"capture_output": True, "timeout": ENGINE_SECONDS, "check": False}
    try:
        return subprocess.run([engine, "info"], **info).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def container_command(engine, served, saved_models):
    """The command line that runs the server in a container, which reads the models as they are."""
    models, config = serve_config.MODELS, serve_config.CONFIG
    options = server_options(served, models, config)
    mounts = {saved_models: models, config_folder(served): config}
    if not any(option.startswith("--model_config_file=") for option in options):
        (name,) = served.models
        mounts = {saved_models / name: f"{models}/{name}"}
    return [
        *(engine, "run", "--rm"),
        # A first process ignores Ctrl-C unless it asks for it; --init puts one in front.
        *("--init", "--entrypoint", "tensorflow_model_server"),
        *("--publish", f"{served.port}:{served.port}"),
        *("--publish", f"{served.grpc_port}:{served.grpc_port}"),
        *(
            word
            for here, there in mounts.items()
            for word in ("--mount", mount_option(engine, here, there))
        ),
        *(serve_config.IMAGE, *options),
    ]


def mount_option(engine, here, there):
    """The value of `--mount` that shows a folder to a container, to be read: a line of CSV."""
    words = ["type=bind", f"source={here}", f"target={there}", "readonly"]
    if engine == "podman":
        # Under SELinux a container reads what is labelled for containers alone; docker has no word.
        words.append("relabel=shared")
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    return line.getvalue()


# What to ask it ------------------------------------------------------------------------------


class DamagedError(ValueError):
    """A file of an export is damaged."""

    def __init__(self, version, file):
        super().__init__(f"{version / file} is damaged: remove {version} or export again")


def examine(args, name, version):
    """Reads a version; returns how many rows it takes in a request, and lines to try.

    They say what its labels mean, and ask for an image by curl. Raises DamagedError.
    """
    if not (version / "saved_model.pb").stat().st_size:
        raise DamagedError(version, "saved_model.pb")
    try:
        rows = read_notes(version).get("limits", {}).get("rows", serve_config.LARGEST_BATCH)
        example = [*label_meanings(version), example_request(args, name, version)]
        return min(rows, serve_config.LARGEST_BATCH), example
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise DamagedError(version, "assets.extra/keras_gans.json") from error


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


def example_request(args, name, version):
    """Returns a curl line that generates one image, or that lists what the model can do instead."""
    address = f"http://localhost:{args.port}/v1/models/{urllib.parse.quote(name)}"
    names = set(read_notes(version).get("signatures", {}).get("generate", {}).get("inputs", ()))
    if not names or not names <= {"seed", "label"}:
        return command_line("curl", f"{address}/metadata")
    row = dict.fromkeys(sorted(names, reverse=True), 1)
    body = json.dumps({"signature_name": "generate", "instances": [row]})
    return command_line("curl", "-d", body, f"{address}:predict")


# The folder is read here and not with keras_gans.serving: that takes TensorFlow, seconds and a
# screen of its notes, for a program that is about to be replaced.


def exported(saved_models):
    """The models that have an exported version, `{name: path of the newest}`."""
    folders = sorted(path for path in saved_models.glob("*") if not path.name.startswith("."))
    newest = {folder.name: latest_version(folder) for folder in folders}
    return {name: version for name, version in newest.items() if version}


def latest_version(folder):
    """Finds the export with the largest version number; None where there is none."""
    names = [path.parent.name for path in folder.glob("*/saved_model.pb")]
    # As `keras_gans.serving.export.version_numbers` has it: 007 is no version.
    numbers = [
        int(name) for name in names if name.isascii() and name.isdigit() and name == str(int(name))
    ]
    return folder / str(max(numbers)) if numbers else None


if __name__ == "__main__":
    sys.exit(main())
