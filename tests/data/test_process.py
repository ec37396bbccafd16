"""What only a process of its own tells: one for all, as each would import TensorFlow for seconds.

It reads arrays within the memory that was promised, knows data by the same fingerprints as this
one, and ends while its images are read.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_gans.data import load_source, load_unpaired, unpaired
from tests.data.conftest import write_photos

pytestmark = pytest.mark.slow

PROGRAM = r"""
import json, pathlib, re, sys
from keras_gans.data import batches, load_source, load_unpaired, unpaired

def memory(key):
    text = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(key + r":\s+(\d+)", text)[1]) * 1024

photos, first, *others = sys.argv[1:]
load_source(f"npz:{first}")
taken = []
for path in others:
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory("VmRSS")
    load_source(f"npz:{path}")
    taken.append(memory("VmHWM") - before)

unpaired.BLENDS = 1
two = load_unpaired("digits2digits-m")
every = (two, *two.judges, load_source("digits-m"))
told = {"taken": taken, "fingerprints": [source.fingerprint for source in every]}

# So large that the next batches are not read before the end.
split = load_source(f"folder:{photos}", image_size=1024, cache_mib=0).train
iterator = iter(batches(split, 4, 0))
next(iterator)
print(json.dumps(told), flush=True)
"""
IMAGES = (16000, 32, 32, 3)


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The process, at its end; do not touch."""
    folder = tmp_path_factory.mktemp("process")
    images = np.random.default_rng(0).integers(0, 256, IMAGES, np.uint8)
    arrays = {
        "small": {"images": images[:100]},
        "splits": {"x_train": images[:12000], "x_test": images[12000:]},
        "first": {"images": np.ascontiguousarray(np.moveaxis(images, 3, 1))},
        "floats": {"images": images[:4000].astype(np.float32) / 255},
    }
    for name, each in arrays.items():
        np.savez(folder / f"{name}.npz", **each)
    np.save(folder / "plain.npy", images)
    paths = [folder / f"{name}.npz" for name in arrays]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, write_photos(folder), *paths, folder / "plain.npy"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,  # s; a hang has no end, a busy machine takes a minute
        check=False,
    )


def test_a_program_ends_while_images_are_read(ended):
    # Without care the interpreter waits for ever for a tf.data thread that it has stopped.
    assert ended.returncode == 0, ended.stderr
    assert "Error" not in ended.stderr


def test_loading_takes_twice_the_size_of_the_arrays(ended):
    """What is accepted because it fits has to be read within what that promised."""
    sizes = [size / np.prod(IMAGES) for size in json.loads(ended.stdout)["taken"]]
    assert len(sizes) == 4
    assert max(sizes) <= 2.2, sizes  # 0.2: what is read at a time, and a mask of floats


def test_fingerprints_are_equal_in_another_process(ended, monkeypatch):
    monkeypatch.setattr(unpaired, "BLENDS", 1)  # as there
    two = load_unpaired("digits2digits-m")
    every = (two, *two.judges, load_source("digits-m"))
    assert json.loads(ended.stdout)["fingerprints"] == [source.fingerprint for source in every]
