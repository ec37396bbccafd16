"""Kills exports at random moments and looks at what is left.

    python -m tests.serving.kill_exports FOLDER COUNT

A process exports a small conditional GAN again and again and is killed; every version in the folder
must then run in the server's loader and give the image that the first one gives.
"""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import apps.quiet  # noqa: F401  before Keras

# isort: split
import numpy as np

from keras_gans.serving import export
from keras_gans.serving.cpp_loader import run_signatures

EXPORTER = """
import sys
import apps.quiet
import keras
from keras_gans.serving import export
model = keras.models.load_model("tests/earlier/runs/cgan/checkpoint.keras")
export.publish(model, sys.argv[1])
print("ready", flush=True)
while True:
    export.publish(model, sys.argv[1])
    print("published", flush=True)
"""


def main(folder, count, seed=0):
    """Prints how many versions there were after each kill."""
    r = random.Random(seed)
    inputs = {"seed": np.arange(3, dtype=np.int32), "label": np.arange(3, dtype=np.int32)}
    expected, seen, period = None, set(), 10.0
    for kill in range(count):
        exporter = subprocess.Popen(
            [sys.executable, "-c", EXPORTER, folder], stdout=subprocess.PIPE, text=True
        )
        assert exporter.stdout.readline() == "ready\n"
        began = time.monotonic()
        if kill == 0:
            exporter.stdout.readline()
            period = time.monotonic() - began  # how long an export takes here
        moment = r.uniform(0.0, period)
        time.sleep(moment)
        exporter.send_signal(signal.SIGKILL)
        exporter.communicate()
        for number in set(export.version_numbers(folder)) - seen:
            (outputs,) = run_signatures(Path(folder) / str(number), [("generate", inputs)])
            expected = outputs["image"] if expected is None else expected
            np.testing.assert_array_equal(outputs["image"], expected)
            seen.add(number)
        left = len(list(Path(folder).glob(".tmp-*")))
        print(f"kill {kill + 1} after {moment:.2f} s: {len(seen)} good versions, {left} unfinished",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
