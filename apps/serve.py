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
import subprocess
import sys
import urllib.parse
from pathlib import Path

from apps import serve_config
from apps.terminal import accept_any_text, command_line

GENERATED = "generated/serving"  # configurations of a server that is started here
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
    saved_models = Path(args.saved_models).absolute()
    one = {args.model: latest_version(saved_models / args.model)} if args.model else None
    newest = one or exported(saved_models)
    if not newest or None in newest.values():
        folder = saved_models / args.model if args.model else saved_models
        return refuse(
            f"no exported version in {folder}: run `make train-{args.model or 'cgan'}` first"
        )
    try:
        example = list(examples(args, newest))
        served = what_to_serve(args, newest, saved_models)
    except DamagedError as error:
        return refuse(f"{error} is damaged: remove {error.version} or export again")
    except ValueError as error:
        return refuse(error)
    if args.write_config:
        try:
            print(*serve_config.write_files(args.write_config, served, saved_models), sep="\n")
        except OSError as error:
            return refuse(f"cannot write {error.filename}: {error.strerror}")
        return 0
    command = None if args.embedded else server_command(served, saved_models)
    # The server keeps the terminal from here on.
    print(*example, sep="\n", flush=True)
    return os.execvp(command[0], command) if command else serve_embedded(args, served, saved_models)


def parse(arguments):
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m apps.serve",
        description="Serve exports: by tensorflow_model_server, else by its container, else by the "
        "embedded server.",
    )
    add = parser.add_argument
    add("model", nargs="?", help="name of its folder in saved_models, such as cgan; default: all")
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


def what_to_serve(args, newest, saved_models):
    """Reads versions and labels; returns a `Served`, or raises ValueError for those not there."""
    labels = {}
    for text in args.label:
        label, _, number = text.partition("=")
        if not (label and number.isascii() and number.isdigit()):
            raise ValueError(f"--label must be NAME=NUMBER. Received: {text}")
        labels[label] = int(number)
    if (args.version or labels) and not args.model:
        raise ValueError("--version and --label need the name of a model")
    for number in [*args.version, *labels.values()]:
        if not (saved_models / args.model / str(number) / "saved_model.pb").exists():
            raise ValueError(f"no version {number} of {args.model} in {saved_models / args.model}")
    limits = [read_notes(version).get("limits", {}) for version in newest.values()]
    return serve_config.Served(
        models={name: int(version.name) for name, version in newest.items()},
        versions=tuple(args.version),
        labels=labels,
        port=args.port,
        grpc_port=args.grpc_port,
        allow_origins=bool(args.allow_origin),
        batching=args.batching,
        rows=min(each.get("rows", serve_config.LARGEST_BATCH) for each in limits),
    )


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
        serve_config.write(GENERATED, serve_config.make_configs(served, models))
        return serve_config.server_options(served, config or Path(GENERATED).absolute())
    (name,) = served.models
    ports = f"--rest_api_port={served.port}", f"--port={served.grpc_port}"
    return [*ports, f"--model_name={name}", f"--model_base_path={models}/{name}"]


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
    mounts = {saved_models: models, Path(GENERATED).absolute(): config}
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


class DamagedError(Exception):
    """A file of an export is damaged; the message is its path."""

    def __init__(self, version, file):
        super().__init__(version / file)
        self.version = version


def examples(args, newest):
    """Yields lines to try for each model: what its labels mean, and a request by curl."""
    for name, version in newest.items():
        if not (version / "saved_model.pb").stat().st_size:
            raise DamagedError(version, "saved_model.pb")
        try:
            lines = [*label_meanings(version), example_request(args, name, version)]
        except (OSError, ValueError, AttributeError) as error:
            raise DamagedError(version, "assets.extra/keras_gans.json") from error
        yield from lines


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
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    return folder / str(max(numbers)) if numbers else None


if __name__ == "__main__":
    sys.exit(main())
