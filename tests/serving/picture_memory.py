"""Memory that large pictures take: the peak of a process, and what it said before.

    python -m tests.serving.picture_memory 1 2 runs/cyclegan saved_models/cyclegan

translates, with each run or export, a small picture and pictures of 1 and 2 megapixels: by
`apps.translate` as wholes, and an export's by the embedded server too. Each in a new process.
"""

import base64
import json
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import apps.quiet  # noqa: F401  before Keras

# isort: split
import numpy as np
from PIL import Image

from keras_gans.training import is_run

WIDTH = 1024  # px; a side of a thousand more is a megapixel
SMALL = 64 * 1024  # pixels


def peak_mib(process):
    """The most memory that a process had resident until now."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def start(program, *options):
    """Starts a program whose output is read line by line; errors among it."""
    command = [sys.executable, "-u", "-m", f"apps.{program}", *map(str, options)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, text=True, **pipes)


def translated(model, picture, out):
    """Peak of a `translate` in MiB, and what it said of the memory."""
    process, said, peak = start("translate", model, picture, "--out", out), "", 0
    line = ""
    for line in process.stdout:
        said = said or " ".join(re.findall(r"[\d.,]+ GiB", line))
        if " images in " in line:  # the last line: the process is there still, or has just ended
            peak = peak_mib(process)
    if process.wait():
        raise SystemExit(f"{model}: not translated: {line}")
    return peak, said


def served(model, picture):
    """Peak in MiB of an embedded server that translated one picture."""
    model = Path(model).resolve()
    ports = ["--port", 0, "--grpc-port", 0]
    process = start("serve", model.name, "--saved-models", model.parent, "--embedded", *ports)
    try:
        serving = re.compile(r"serving +(http://\S+/v1)/models")
        address = next(m[1] for line in process.stdout if (m := serving.match(line)))
        file = {"b64": base64.b64encode(picture.read_bytes()).decode()}
        body = {"signature_name": "translate_x_to_y_png", "inputs": {"image_bytes": [file]}}
        url = f"{address}/models/{model.name}:predict"
        urllib.request.urlopen(url, json.dumps(body).encode(), timeout=600).read()
        return peak_mib(process)
    finally:
        process.terminate()
        process.communicate()


def main(*arguments):
    """Prints a line for each model, picture and way."""
    sizes = [float(each) for each in arguments if re.fullmatch(r"[\d.]+", each)]
    with tempfile.TemporaryDirectory() as folder:
        for model in arguments[len(sizes) :]:
            ways = {"translate": lambda p, m=model: translated(m, p, Path(folder, "out"))}
            if not is_run(model):
                ways["serve"] = lambda p, m=model: (served(m, p), "")
            for way, measure in ways.items():
                smallest = None
                for pixels in (SMALL, *(int(size * 2**20) for size in sizes)):
                    picture = Path(folder, "picture.png")
                    gray = np.linspace(0, 255, pixels // WIDTH, dtype=np.uint8)[:, None, None]
                    Image.fromarray(np.tile(gray, (1, WIDTH, 3))).save(picture)
                    peak, said = measure(picture)
                    smallest = smallest or peak
                    more = f", {(peak - smallest) / 1024:.2f} GiB above the first"
                    line = f"{model} {way} {pixels / 2**20:.2f} megapixels: peak {peak:.0f} MiB"
                    print(line + more + (f"; said {said}" if said else ""), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
