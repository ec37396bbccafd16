"""Asks a running server: `python -m apps.client generate --label 7 --count 16 --out images`.

Runs where there is neither TensorFlow nor this package, on urllib3 and NumPy.
"""

import argparse
import importlib.util
import re
import sys
from pathlib import Path

from apps.terminal import accept_any_text

PROGRAM = "python -m apps.client"
ROWS = 64  # of a request: many small answers rather than one of any size
LARGEST_SEED = 2**31 - 1


def main(arguments=None):
    """Runs one command; returns the exit status: 2 of a user's mistake, 1 of a server's trouble."""
    accept_any_text()
    options = _parse(arguments)
    library = _library(options.url)
    try:
        with library.Client(options.url, timeout_seconds=options.timeout) as client:
            options.run(client, options)
            return 0
    except library.UnavailableError as error:
        status, message = 1, error
    except (library.ServingError, ValueError, ImportError) as error:
        status, message = 2, error
    except OSError as error:
        status, message = 2, f"{error.filename or options.out}: {error.strerror}"
    except KeyboardInterrupt:
        status, message = 130, "interrupted"
    print(f"{PROGRAM}: {' '.join(str(message).split())}", file=sys.stderr)
    return status


def _parse(arguments):
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Ask a running server.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name, run, text):
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        add = made.add_argument
        add("--model", default="cgan", help="its name on the server (default: %(default)s)")
        add("--url", default="http://127.0.0.1:8501", help="or grpc://... (default: %(default)s)")
        add("--version", type=int, help="its number (default: the newest)")
        add("--version-label", help="instead of it a label that the server gives to a version")
        add("--timeout", type=float, default=30.0, help="seconds (default: %(default)s)")
        return add

    add = command("generate", generate, "Write images of seeds as PNG files.")
    add("--label", help="a class by name, or by index if no class is called so")
    add("--count", type=_positive, default=16, help="images (default: %(default)s)")
    add("--seed", type=_seed, default=0, help="the first image's (default: %(default)s)")
    add("--truncation", type=float, help="of latents: smaller is more typical, less varied")
    add("--out", type=Path, default=Path("generated"), help="folder (default: %(default)s)")
    add = command("send", send, "Send image files to a signature; write the images of its answer.")
    add("signature", help="such as translate_x_to_y_bytes")
    add("files", nargs="+", type=Path, help="PNG or JPEG")
    add("--out", type=Path, default=Path("generated"), help="folder (default: %(default)s)")
    command("status", status, "Print a model's versions and what the newest can do.")
    return parser.parse_args(arguments)


def _positive(word):
    if (number := int(word)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1. Received: {word}")
    return number


def _seed(word):
    if not 0 <= (number := int(word)) <= LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"must be from 0 to {LARGEST_SEED}. Received: {word}")
    return number


def _library(url):
    """The module of `Client`; for REST from its file alone, without the package's TensorFlow."""
    if url.startswith("grpc"):
        import apps.quiet  # noqa: F401
        from keras_gans.serving import client

        return client
    path = Path(__file__).parents[1] / "keras_gans" / "serving" / "client.py"
    spec = importlib.util.spec_from_file_location("keras_gans_client", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _where(options):
    return {"version": options.version, "version_label": options.version_label}


def generate(client, options):
    """Writes an image a seed, `seed<number>.png`; asks for `ROWS` at a time, or for fewer."""
    if options.seed + options.count - 1 > LARGEST_SEED:
        raise ValueError(f"seeds must be at most {LARGEST_SEED}. Received: --seed {options.seed}")
    label = _label(client, options)
    options.out.mkdir(parents=True, exist_ok=True)
    first, last, rows = options.seed, options.seed + options.count, ROWS
    while first < last:
        seeds = range(first, min(first + rows, last))
        try:
            files = client.generate(
                options.model, seeds, label=label, truncation=options.truncation, **_where(options)
            )
        except RuntimeError as error:  # the library's errors
            # How many rows an export takes is told by its refusal alone.
            limit = re.search(r"at most (\d+) rows", str(error))
            if not limit or not 0 < int(limit[1]) < len(seeds):
                raise
            rows = int(limit[1])
            continue
        for seed, file in zip(seeds, files, strict=True):
            (options.out / f"seed{seed}.png").write_bytes(file)
        first = seeds.stop
    print(options.out)


def _label(client, options):
    """The class as it was asked for: by name, else, where no class is called so, by index."""
    names = client.class_names(options.model, **_where(options)) if options.label else None
    by_index = options.label and options.label.isdecimal() and options.label not in (names or ())
    return int(options.label) if by_index else options.label


def send(client, options):
    """Writes, of every file sent, the image that comes back, under the same name as PNG."""
    places = _places(options.files, options.out)
    options.out.mkdir(parents=True, exist_ok=True)
    for path, place in zip(options.files, places, strict=True):
        inputs = {"image_bytes": [path.read_bytes()]}
        outputs = client.predict(
            options.model, inputs, signature=options.signature, **_where(options)
        )
        if "image_bytes" not in outputs:
            raise ValueError(f"{options.signature} gives no image file, but {', '.join(outputs)}")
        place.write_bytes(outputs["image_bytes"][0])
        print(place)


def _places(files, folder):
    """Where the answers of files go; ValueError if one would be in the place of another file."""
    places = [folder / f"{path.stem}.png" for path in files]
    sent = {path.resolve() for path in files}
    for number, place in enumerate(places):
        if place.resolve() in sent:
            raise ValueError(f"{place} would be overwritten: choose another folder with --out")
        if place in places[:number]:
            raise ValueError(f"two answers would be {place}: send files of one name apart")
    return places


def status(client, options):
    """Prints each version with its state, and each signature with what it takes and gives."""
    for number, state in client.versions(options.model).items():
        print(f"{options.model} {number}: {state}")
    for name, sides in client.signatures(options.model, **_where(options)).items():
        print(f"  {name}: {_described(sides['inputs'])} -> {_described(sides['outputs'])}")


def _described(tensors):
    words = (f"{name} {dtype} {sizes}" for name, (dtype, sizes) in sorted(tensors.items()))
    return ", ".join(words).replace("-1", "n")


if __name__ == "__main__":
    sys.exit(main())
