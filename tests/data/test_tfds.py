"""The CycleGAN paper's data sets: all but the download itself, on a data set of a few pictures."""

import io
import socket
import sys

import numpy as np
import pytest
from PIL import Image

from keras_gans.data import UNPAIRED_NAMES, load_unpaired
from keras_gans.data.tfds import TFDS_NAMES
from keras_gans.errors import InputError

NAME = "horse2zebra"
COUNTS = {"trainA": 5, "trainB": 4, "testA": 2, "testB": 3}


def refusal(name=NAME, **options):
    with pytest.raises(InputError) as caught:
        load_unpaired(name, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def package():
    return pytest.importorskip(
        "tensorflow_datasets", reason="needs the extra: pip install 'keras-gans[tfds]'"
    )


@pytest.fixture
def pictures(tmp_path, gradient):
    """Files in the layout of the paper's data sets."""
    for split, count in COUNTS.items():
        for index in range(count):
            path = tmp_path / "pictures" / split / f"{index}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            gradient(20, 24, seed=100 * len(split) + 10 * count + index).save(path)
    return tmp_path / "pictures"


@pytest.fixture
def data_dir(package, pictures, tmp_path, monkeypatch):
    """The folder as the package's own builder prepares it, the pictures taken from here."""

    def local(builder, dl_manager):
        return {
            split: builder._generate_examples(str(pictures / split), split[-1]) for split in COUNTS
        }

    with monkeypatch.context() as patch:
        patch.setattr(package.builder_cls("cycle_gan"), "_split_generators", local)
        package.builder(f"cycle_gan/{NAME}", data_dir=tmp_path / "tfds").download_and_prepare()
    return tmp_path / "tfds"


def test_names():
    assert set(TFDS_NAMES) < set(UNPAIRED_NAMES)


def test_names_are_the_packages_own(package):
    assert set(TFDS_NAMES) == set(package.builder_cls("cycle_gan").builder_configs)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    text = refusal()
    assert text.startswith("horse2zebra is read by tensorflow-datasets, which cannot be imported")
    assert text.endswith(f"{sys.executable} -m pip install 'keras-gans[tfds]'")


def test_prepared_data_is_read(data_dir, pictures, capfd):
    capfd.readouterr()
    source = load_unpaired(NAME, data_dir=data_dir, image_size=16)
    assert capfd.readouterr().out == ""
    assert (source.name, source.image_shape) == (NAME, (16, 16, 3))
    assert (source.paired, source.judges, source.train.size) == (False, None, 5)
    for domain, letter in ((source.x, "A"), (source.y, "B")):
        assert domain.name == f"{NAME} {letter}"
        for part, split in (("train", domain.train), ("test", domain.test)):
            assert (split.size, split.labels) == (COUNTS[part + letter], None)
            stored = [read(path) for path in (pictures / (part + letter)).iterdir()]
            images = split.read(np.arange(split.size))[0].numpy()
            # The package shuffles the files, once and for all.
            nearest = [np.abs(np.subtract(stored, image)).mean((1, 2, 3)) for image in images]
            assert sorted(np.argmin(nearest, axis=1)) == list(range(split.size))
            assert np.max(np.min(nearest, axis=1)) < 3
    again = load_unpaired(NAME, data_dir=str(data_dir), image_size=16)
    assert again.fingerprint == source.fingerprint
    assert load_unpaired(NAME, data_dir=data_dir, channels=1).image_shape == (64, 64, 1)


def read(path):
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        square = image.crop(((image.width - image.height) // 2, 0, *center_end(image)))
        return np.asarray(square.resize((16, 16), Image.Resampling.LANCZOS), float)


def center_end(image):
    return (image.width + image.height) // 2, image.height


def test_damaged_data_is_named(data_dir):
    folder = data_dir / "cycle_gan" / NAME / "3.0.0"
    record = next(folder.glob("*trainB*"))
    content = bytearray(record.read_bytes())
    content[len(content) // 2] ^= 0xFF
    record.write_bytes(content)
    text = refusal(data_dir=data_dir)
    assert text.startswith(f"{NAME} in {folder} is damaged (")
    assert text.endswith("delete that folder, to have it prepared anew")


def test_too_large_for_the_memory(data_dir):
    assert "GiB of memory are free" in refusal(data_dir=data_dir, image_size=10**6)


def test_no_network(package, tmp_path, monkeypatch):
    def unknown(*_):
        raise socket.gaierror(-2, "Name or service not known")

    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    text = refusal(data_dir=tmp_path)
    assert "efrosgans.eecs.berkeley.edu: Name or service not known" in text
    assert "--data-dir" in text
    assert "folders:PATH" in text


def test_download_that_fails(package, tmp_path, monkeypatch):
    from tensorflow_datasets.core.download import downloader

    monkeypatch.setattr(downloader, "MAX_RETRIES", 0)
    for variable in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # where nobody listens
    text = refusal(data_dir=tmp_path)
    assert text.startswith(f"{NAME} is not on this machine and cannot be downloaded (")
    assert "127.0.0.1" in text
    assert not list(tmp_path.glob(f"cycle_gan/{NAME}/3.0.0"))
