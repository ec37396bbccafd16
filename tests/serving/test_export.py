"""Exports: what a version holds, that the server's own loader runs it, and how it appears."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError, RunError
from keras_gans.serving import Endpoints, Limits, export, warmup
from keras_gans.serving.encoded_images import encode_png
from tests.apps.processes import full_disk
from tests.serving.stand_ins import (
    LABEL,
    LATENT,
    LATENT_DIM,
    NUM_CLASSES,
    SEED,
    OneSignature,
    StandIn,
)
from tests.serving_loader import RefusedError, run_in_loader

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(7)
    return StandIn()


@pytest.fixture(scope="module")
def version(model, tmp_path_factory):
    return export.publish(model, tmp_path_factory.mktemp("saved_models") / "stand_in")


def requests(rows=16):
    random = np.random.default_rng(3)
    label = np.arange(rows, dtype="int32") % NUM_CLASSES
    latent = random.normal(size=(rows, LATENT_DIM)).astype("float32")
    seed = random.integers(-(2**31), 2**31, rows).astype("int32")
    return {
        "serving_default": {"latent": latent, "label": label},
        "generate": {"seed": seed, "label": label},
    }


def run_loaded(version, signature, inputs):
    tensors = {key: tf.constant(value) for key, value in inputs.items()}
    return export.load(version).signatures[signature](**tensors)


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


@contextlib.contextmanager
def another_publisher():
    """A process of `stand_ins`, ready; gives its `Popen`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.serving.stand_ins"],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def ask(process, name, folder):
    process.stdin.write(f"{name} {folder}\n")
    process.stdin.flush()


# What a version holds ------------------------------------------------------------------------


def test_signatures_have_the_given_names_shapes_and_dtypes(version):
    signatures = export.load(version).signatures
    image = tf.TensorSpec([None, 8, 8, 1], tf.float32, "image")
    image_bytes = tf.TensorSpec([None], tf.string, "image_bytes")
    assert set(signatures) == {"serving_default", "generate"}
    serve, generate = signatures["serving_default"], signatures["generate"]
    assert serve.structured_input_signature[1] == {"latent": LATENT, "label": LABEL}
    assert serve.structured_outputs == {"image": image}
    assert generate.structured_input_signature[1] == {"seed": SEED, "label": LABEL}
    assert generate.structured_outputs == {"image": image, "image_bytes": image_bytes}


def test_only_the_served_networks_variables_are_stored(model, version):
    stored = tf.train.load_checkpoint(str(version / "variables" / "variables"))
    shapes = stored.get_variable_to_shape_map()
    sizes = [shape for name, shape in shapes.items() if name.endswith("VARIABLE_VALUE")]
    assert sorted(sizes) == sorted(list(variable.shape) for variable in model.generator.weights)


@pytest.mark.parametrize("signature", ["serving_default", "generate"])
def test_the_servers_loader_gives_what_keras_gives(model, version, signature):
    inputs = requests()[signature]
    function, _ = model.signatures()[signature]
    served = run_in_loader(version, signature, inputs)
    eager = function(**inputs)
    # Graphs fuse what eager execution rounds in between: to the bit only graph against graph.
    graph = tf.function(function, autograph=False)(**{k: tf.constant(v) for k, v in inputs.items()})
    np.testing.assert_array_equal(served["image"], graph["image"])
    np.testing.assert_allclose(served["image"], eager["image"], rtol=0, atol=1e-6)
    assert served["image"].std() > 0.05
    if signature == "generate":
        assert served["image_bytes"] == list(eager["image_bytes"].numpy())


def test_a_batch_of_seeds_gives_the_png_files_of_single_requests(version):
    inputs = requests()["generate"]
    batch = run_in_loader(version, "generate", inputs)["image_bytes"]
    assert len(set(batch)) == 16
    endpoints = Endpoints.from_export(version)
    for row, png in enumerate(batch):
        alone = {key: tf.constant(value[row : row + 1]) for key, value in inputs.items()}
        assert endpoints["generate"](**alone)["image_bytes"].numpy()[0] == png


def test_png_files_hold_the_images(version):
    inputs = requests()["generate"]
    outputs = run_loaded(version, "generate", inputs)
    for image, png in zip(outputs["image"].numpy(), outputs["image_bytes"].numpy(), strict=True):
        assert png.startswith(b"\x89PNG")
        expected = np.rint((image.astype("float64") + 1) * 127.5)
        difference = tf.io.decode_png(png).numpy().astype("float64") - expected
        # float32 may round a value at .5 the other way.
        assert np.abs(difference).max() <= 1
        assert np.count_nonzero(difference) <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_encode_png_rounds_clips_and_keeps_the_order(channels):
    values = np.array([-1, 1, 0.003, -0.997, 0.999, -2, 5], "float32")
    pixels = [0, 255, 128, 0, 255, 0, 255]
    images = np.full([2, 1, 7, channels], -1.0, "float32")
    images[1, 0, :, channels - 1] = values
    files = encode_png(images).numpy()
    decoded = tf.io.decode_png(files[1]).numpy()
    assert decoded.shape == (1, 7, channels)
    assert decoded[0, :, channels - 1].tolist() == pixels
    assert not decoded[..., : channels - 1].any()
    assert not tf.io.decode_png(files[0]).numpy().any()


@pytest.mark.parametrize("run", [run_loaded, run_in_loader])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"latent": np.zeros([2, 5], "float32")}, "[2,5] is not compatible with expected shape"),
        ({"latent": np.zeros([4], "float32")}, "[4] is not compatible with expected shape"),
        ({"latent": np.full([2, 4], np.nan, "float32")}, "latent must be finite"),
        ({"label": np.array([1, 3], "int32")}, "integer from 0 to 2. Received:] [1 3]"),
        ({"label": np.array([-1, 2], "int32")}, "integer from 0 to 2. Received:] [-1 2]"),
        ({"label": np.zeros([2, 1], "int32")}, "[2,1] is not compatible with expected shape"),
    ],
)
def test_the_graph_refuses(version, run, changed, message):
    good = {"latent": np.zeros([2, 4], "float32"), "label": np.zeros([2], "int32")}
    with pytest.raises((tf.errors.InvalidArgumentError, RefusedError)) as refusal:
        run(version, "serving_default", {**good, **changed})
    assert message in str(refusal.value)


def test_class_names_travel_with_the_export_and_say_what_a_label_means(version, tmp_path):
    assert export.class_names(version) is None
    assert "labels" not in export.read_notes(version)
    model = StandIn()
    model.class_names = ("01", "02", "03")
    export.publish(model, tmp_path)
    assert export.class_names(tmp_path) == ("01", "02", "03")
    assert export.read_notes(tmp_path)["labels"] == {"0": "01", "1": "02", "2": "03"}


def test_the_notes_name_what_each_signature_takes_and_gives(version, model):
    notes = json.loads((version / "assets.extra" / export.NOTES).read_text("utf-8"))
    assert set(notes["signatures"]) == set(model.signatures())
    for name, signature in export.load(version).signatures.items():
        for told, specs in (
            (notes["signatures"][name]["inputs"], signature.structured_input_signature[1]),
            (notes["signatures"][name]["outputs"], signature.structured_outputs),
        ):
            assert told == {
                key: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}
                for key, spec in specs.items()
            }


def test_the_card_and_the_limits_lie_in_the_export(model, tmp_path):
    version = export.publish(model, tmp_path, limits=Limits(rows=3), card={"run": "mine"})
    notes = export.read_notes(version)
    assert notes["limits"] == {"rows": 3, "pixels": 2**22}
    assert notes["card"]["run"] == "mine"
    assert "- Run: mine" in (version / "assets.extra" / "README.md").read_text().splitlines()
    inputs = {key: value[:4] for key, value in requests()["generate"].items()}
    with pytest.raises(RefusedError, match="a request must have at most 3 rows"):
        run_in_loader(version, "generate", inputs)
    # From Python the same rows come in pieces.
    endpoints = Endpoints.from_export(version)
    made = endpoints["generate"](**{k: tf.constant(v) for k, v in inputs.items()})
    expected = StandIn.generate(model, **inputs)
    np.testing.assert_allclose(made["image"], expected["image"], rtol=0, atol=1e-6)


def test_every_signature_has_a_request_that_warms_a_server(version):
    found = dict(warmup.read_requests(version))
    assert set(found) == {"serving_default", "generate"}
    for signature, inputs in found.items():
        assert run_in_loader(version, signature, inputs)["image"].shape == (2, 8, 8, 1)


# How a version appears -----------------------------------------------------------------------


def test_publish_says_nothing_and_leaves_only_versions(model, tmp_path, capfd):
    before = int(time.time())
    first = export.publish(model, tmp_path / "new" / "model")
    second = export.publish(model, str(tmp_path / "new" / "model"))
    assert before <= int(first.name) < int(second.name)
    assert entries(tmp_path / "new" / "model") == [first.name, second.name]
    assert export.versions(tmp_path / "new" / "model") == [int(first.name), int(second.name)]
    assert export.latest_version(tmp_path / "new" / "model") == second
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_a_version_is_larger_than_every_number_there(tmp_path, make):
    (tmp_path / ".tmp-0").mkdir()
    make(tmp_path / "9999999999")
    assert export._place(tmp_path / ".tmp-0", tmp_path) == tmp_path / "10000000000"


def test_only_the_newest_versions_are_kept(model, tmp_path):
    for number in (3, 4, 5):
        (tmp_path / str(number)).mkdir()
    (tmp_path / "notes.txt").touch()
    newest = export.publish(model, tmp_path, keep=2)
    assert entries(tmp_path) == sorted([newest.name, "5", "notes.txt"])
    for keep in (0, 2.0, True, "2"):
        with pytest.raises(InputError, match="keep must be a positive integer") as refusal:
            export.publish(model, tmp_path, keep=keep)
        assert str(refusal.value).endswith(f"Received: keep={keep!r}")
    assert entries(tmp_path) == sorted([newest.name, "5", "notes.txt"])


def test_an_export_of_one_row_a_request_is_published(model, tmp_path):
    version = export.publish(model, tmp_path, limits=Limits(rows=1))
    requests = dict(warmup.read_requests(version))
    assert {len(array) for inputs in requests.values() for array in inputs.values()} == {1}


def image(latent):
    return tf.tanh(latent)


def raise_when_traced(latent):
    raise KeyError("my own mistake")


def refuse_zeros(latent):
    tf.debugging.assert_positive(tf.reduce_sum(latent), "no zeros here")
    return {"image": image(latent)}


def lose_an_output(latent):
    extra = {"second": image(latent)} if tf.executing_eagerly() else {}
    return {"image": image(latent), **extra}


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (raise_when_traced, KeyError, "my own mistake"),
        (refuse_zeros, RunError, "serving_default failed: assertion failed: [no zeros here"),
        (lose_an_output, RunError, "outputs ['image'] where the model has ['image', 'second']"),
        (lambda latent: {"image": latent / latent}, RunError, "not finite"),
        (lambda latent: {"image": image(latent)[:1]}, RunError, "for 2 rows"),
        (lambda latent: {"image": tf.reduce_sum(latent)}, RunError, "for 2 rows"),
        (lambda latent: {"image": tf.cast(latent, tf.float16)}, RunError, "float16"),
        (lambda latent: {"png": tf.fill(tf.shape(latent)[:1], b"\xff")}, RunError, "_bytes"),
        (lambda latent: {"image_bytes": latent}, RunError, "_bytes"),
    ],
)
def test_a_model_that_cannot_be_served_is_not_published(
    version, tmp_path, function, error, message
):
    old = shutil.copytree(version, tmp_path / version.name)
    with pytest.raises(error) as failure:
        export.publish(OneSignature(function), tmp_path)
    assert message in str(failure.value)
    assert "\n" not in str(failure.value)
    assert entries(tmp_path) == [old.name]
    assert run_loaded(old, "generate", requests()["generate"])


def test_two_publishers_at_once_both_succeed_and_of_a_killed_one_no_version_is_left(
    model, tmp_path
):
    both, killed = tmp_path / "both", tmp_path / "killed"
    with another_publisher() as other:
        for _ in range(2):
            ask(other, "images", both)
        published = [export.publish(model, both).name for _ in range(2)]
        published += [other.stdout.readline().strip() for _ in range(2)]
        ask(other, "stay", killed)
        assert other.stdout.readline() == "written\n"
        other.send_signal(signal.SIGKILL)
    assert len(set(published)) == 4
    assert sorted(published) == entries(both)
    for name in published:
        assert run_loaded(both / name, "generate", requests()["generate"])

    (rest,) = entries(killed)
    assert rest.startswith(".tmp-")
    assert (killed / rest / "saved_model.pb").exists()
    assert export.versions(killed) == []
    # It is removed a day later.
    first = export.publish(model, killed)
    assert entries(killed) == [rest, first.name]
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(killed / rest, (two_days_ago, two_days_ago))
    second = export.publish(model, killed)
    assert entries(killed) == [first.name, second.name]


def test_a_number_taken_meanwhile_is_passed_over(tmp_path):
    rows = range(8)
    for row in rows:
        (tmp_path / f".tmp-{row}" / "variables").mkdir(parents=True)
    together = threading.Barrier(len(rows))
    placed = []

    def place(row):
        together.wait()
        placed.append(export._place(tmp_path / f".tmp-{row}", tmp_path))

    threads = [threading.Thread(target=place, args=[row]) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(placed)) == 8
    assert entries(tmp_path) == sorted(path.name for path in placed)
    assert all(entries(path) == ["variables"] for path in placed)


# The variables take 6 KB and the graph 60 KB: each does not fit once.
@pytest.mark.parametrize("size", [1000, 20000])
def test_a_full_disk_is_one_line_and_leaves_the_old_version(model, version, tmp_path, size):
    old = shutil.copytree(version, tmp_path / version.name)
    with full_disk(size), pytest.raises(RunError) as failure:
        export.publish(model, tmp_path)
    (line,) = str(failure.value).splitlines()
    assert line.startswith(f"cannot write an export to {tmp_path}: ")
    assert "File too large; nothing was published" in line
    assert entries(tmp_path) == [old.name]
    assert run_loaded(old, "generate", requests()["generate"])


@pytest.mark.parametrize("place", ["/proc/none", __file__, f"{__file__}/below"])
def test_a_folder_that_cannot_be_written_is_the_users_to_mend(model, place):
    with pytest.raises(InputError, match=f"directory must be .* directory={place} \\(.+\\)$"):
        export.publish(model, place)


# Reading -------------------------------------------------------------------------------------


def test_versions_are_numbered_folders_in_the_order_of_numbers(tmp_path):
    for name in ("10", "9", "007", "latest", ".tmp-1", "-3", "1.5"):
        (tmp_path / name).mkdir()
    (tmp_path / "11").touch()
    assert export.versions(tmp_path) == [9, 10]
    assert export.latest_version(tmp_path) == tmp_path / "10"
    assert export.version_numbers(tmp_path) == [9, 10, 11]
    (tmp_path / "0099").mkdir()
    assert export.latest_version(tmp_path) == tmp_path / "10"


def test_no_version_is_an_input_error(tmp_path):
    assert export.versions(tmp_path / "none") == []
    for find in (export.latest_version, export.load):
        with pytest.raises(InputError, match=f"Received: directory={tmp_path}$"):
            find(tmp_path)
    with pytest.raises(InputError, match=r"^cannot load the export .*/12: .*does not exist"):
        export.load(tmp_path / "12")


def test_load_takes_a_version_or_the_folder_of_versions(version, tmp_path):
    # A model may be called by a number, too.
    year = shutil.copytree(version.parent, tmp_path / "2024")
    inputs = {key: tf.constant(value) for key, value in requests()["generate"].items()}
    results = [
        export.load(place).signatures["generate"](**inputs)["image"]
        for place in (version, str(version), version.parent, year, year / version.name)
    ]
    for result in results[1:]:
        np.testing.assert_array_equal(results[0], result)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("saved_model.pb", lambda content: b""),
        ("saved_model.pb", lambda content: content[: len(content) // 2]),
        ("variables/variables.data-00000-of-00001", lambda content: content[:100]),
        ("variables/variables.data-00000-of-00001", lambda content: bytes(len(content))),
        ("variables/variables.index", lambda content: b""),
    ],
)
def test_a_damaged_version_is_an_input_error_in_one_line(version, tmp_path, name, damage):
    copy = shutil.copytree(version, tmp_path / version.name)
    (copy / name).write_bytes(damage((copy / name).read_bytes()))
    with pytest.raises(InputError) as failure:
        export.load(copy)
    assert str(failure.value).startswith(f"cannot load the export {copy}: ")
    assert "\n" not in str(failure.value)
