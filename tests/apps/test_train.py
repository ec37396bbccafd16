"""apps.train as a user runs it: a run's outputs, and every way in which one is refused or fails."""

import fcntl
import io
import json
import os
import pty
import re
import resource
import shutil
import struct
import termios

import numpy as np
import pytest
import tensorflow as tf
import yaml
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from apps import train
from keras_gans import ConditionalGAN, training
from keras_gans.recipes import RECIPES
from tests.apps.processes import (
    SMALL,
    TIMEOUT,
    checkpoint_of,
    ended,
    logged,
    places,
    planned,
    refusal,
    run_here,
    snapshot,
    start,
    trained,
    truncate,
    write_folder,
    write_npz,
    written,
)

pytestmark = pytest.mark.slow

ON_STDOUT = ["data", "classes", "network", "widths", "augment", "compared", "precision", "steps"]
ON_STDOUT += ["memory", "strategy", "judge", "run", "trained", "best", "worst", "samples"]
ON_STDOUT += ["exported", "next"]
PROGRESS = re.compile(r"epoch \d/2  d_loss \d+\.\d{3}, g_loss \d+\.\d{3}  \d+ images/s")
TRACKED = set(ConditionalGAN.tracked)
SCORED = {
    f"evaluation/{score}_2k_classifier"
    for score in (
        *("mmd", "classes_covered", "rarest_class_share", "class_entropy"),
        *("label_accuracy", "label_accuracy_worst"),
    )
}
HPARAMS = {f"_hparams_/session_{part}_info" for part in ("start", "end")}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """`(folder, data, (status, stdout, stderr))` of a real process's run named `first`."""
    return trained(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def data(first):
    return first[1]


@pytest.fixture(scope="module")
def run(first):
    return first[0] / "runs" / "first"


@pytest.fixture
def cgan(tmp_path, data):
    """Arguments of a small run in the test's own folder; later flags override them."""
    unscored = ["--evaluate-epochs", "0"]
    return ["cgan", "--dataset", f"npz:{data}", *SMALL, *unscored, *places(tmp_path)]


# A run --------------------------------------------------------------------------------------------


def test_a_terminal_shows_the_run_and_nothing_else(first, run):
    folder, data, (status, out, err) = first
    assert status == 0, err
    lines = out.splitlines()
    # Ten columns of what it is, then what it says; blank in front of a second line.
    beginnings = [line[:10].strip() for line in lines]
    wanted = [*ON_STDOUT[:2], "network", "network", *ON_STDOUT[2:], "", ""]
    wanted.insert(wanted.index("worst"), "")  # what the scores compare
    assert beginnings == wanted
    text = {key: line[10:] for key, line in zip(beginnings, lines, strict=True) if key}
    assert text["data"] == f"npz:{data}: 64 images of 8 x 8 x 1, 3 classes"
    assert text["classes"] == "0: 22, 1: 21, 2: 21"
    assert re.fullmatch(r"class [012]: \d+ of 6\d\d samples show it", text["worst"])
    assert text["run"] == str(run)
    assert text["samples"] == f"{run}/samples"
    assert text["exported"].startswith(f"{folder}/exports/cgan/")
    assert text["trained"].startswith("128 images in ")
    assert re.fullmatch(
        r"mmd_2k_classifier -?[\d.e-]+, label_accuracy_2k_classifier [\d.]+% at epoch 2, of 2",
        text["best"],
    )
    judge = lines[beginnings.index("best") + 1]
    assert re.search(r"2,000 samples against 32 real images, with a classifier right on", judge)
    assert lines[-3:] == [
        f"next      make tensorboard ARGS='--logdir {folder}/runs'",
        f"          make generate RUN={folder}/exports/cgan",
        f"          make serve MODEL=cgan ARGS='--saved-models {folder}/exports'",
    ]


def test_progress_in_a_log_file_is_whole_lines(first):
    _, _, (_, _, err) = first
    assert "\r" not in err
    lines = err.splitlines()
    assert all(PROGRESS.fullmatch(line) for line in lines)
    assert lines[-1].startswith("epoch 2/2")


def test_a_run_leaves_what_it_says(first, run):
    folder, data, _ = first
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["variant"] == "cgan"
    assert config["dataset"] == f"npz:{data}"
    assert (config["epochs"], config["filters"]) == (2, [4, 4])
    record = json.loads((run / "run.json").read_text())
    assert record["data"]["images"] == 64
    assert record["data"]["class_names"] == ["0", "1", "2"]
    assert (record["step"], record["best"]["step"]) == (8, 8)
    assert set(record["best"]["scores"]) == {name.partition("/")[2] for name in SCORED}
    model = checkpoint_of(run)
    assert int(model.step) == 8
    assert all(np.isfinite(v.numpy()).all() for v in model.variables)
    grids = sorted(path.name for path in (run / "samples").iterdir())
    assert grids == ["epoch_0002.png", "history.gif"]
    with Image.open(run / "samples" / "epoch_0002.png") as picture:
        # One column a class, ten rows.
        assert (picture.size, picture.mode) == ((3 * 8, 10 * 8), "L")
    (version,) = (folder / "exports" / "cgan").iterdir()
    assert record["version"] == str(version)
    signatures = tf.saved_model.load(str(version)).signatures
    assert {"serving_default", "generate"} <= set(signatures)
    assert [path.name for path in run.rglob(".*") if path.is_file()] == [".lock"]


@pytest.fixture(scope="module")
def on_a_full_disk(data, tmp_path_factory):
    """`(folder, status, lines)` of a run on a terminal, whose checkpoint found no room.

    The configuration fits under the limit, the checkpoint does not.
    """
    folder = tmp_path_factory.mktemp("full")
    options = ["cgan", "--dataset", f"npz:{data}", *SMALL, "--evaluate-epochs", "0"]
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("4H", 24, 160, 0, 0))
    process = start(
        "train",
        *[*options, *places(folder), "--name", "full"],
        stdout=inside,
        stderr=inside,
        stdin=inside,
        text=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    os.close(inside)
    shown = b""
    try:
        while piece := os.read(terminal, 4096):
            shown += piece
    except OSError:
        pass  # the end of a pseudo-terminal
    return folder, process.wait(TIMEOUT), re.split(r"[\r\n]+", shown.decode())


def test_a_terminal_gets_a_bar(on_a_full_disk):
    _, _, lines = on_a_full_disk
    bars = [line for line in lines if "images/s" in line and "|" in line]
    assert re.search(r"\d images/s", bars[-1])
    assert re.search(r"100% .*d_loss \d+\.\d+, g_loss \d+\.\d+", bars[-1])
    assert any("epoch 1/2" in bar for bar in bars)
    *others, _ = [line for line in lines if line and line not in bars]  # the last is why it ended
    known = (*(f"{word:10}" for word in ON_STDOUT), " " * 10)
    assert [line for line in others if not line.startswith(known)] == []


def test_a_full_disk_leaves_no_half_checkpoint(on_a_full_disk):
    folder, status, lines = on_a_full_disk
    assert status == 1, lines
    *before, line = [line for line in lines if line]
    assert line.startswith("python -m apps.train: cannot write ")
    assert "File too large" in line
    assert "Traceback" not in "".join(before)
    run = folder / "runs" / "full"
    assert f"run       {run}" in before
    assert (run / "config.yaml").exists()
    assert not (run / "checkpoint.keras").exists()
    assert [path.name for path in run.rglob(".*")] == [".lock"]


# TensorBoard --------------------------------------------------------------------------------------


def of_epoch(key):
    return f"epoch/{key}" if key.endswith("_loss") else f"health/{key}"


def test_tensorboard_shows_scalars_over_steps(run):
    events = EventAccumulator(str(run), size_guidance={"tensors": 0}).Reload()
    rates = {"learning_rate/generator_optimizer", "learning_rate/discriminator_optimizer"}
    epochs = set(map(of_epoch, TRACKED)) | {"epoch/images_per_second"} | rates
    steps = {f"step/{key}" for key in TRACKED}
    beside = {"samples", "config"} | SCORED | HPARAMS
    assert set(events.Tags()["tensors"]) == epochs | steps | beside
    for tag in epochs:
        assert [event.step for event in events.Tensors(tag)] == [4, 8]
    for tag in steps:
        assert [event.step for event in events.Tensors(tag)] == list(range(1, 9))
    values = logged(run)
    assert all(values[tag][8] == 0.0 for tag in rates)  # decayed
    halfway = {tag: float(values[tag][4]) for tag in rates}
    assert halfway == pytest.approx(
        {"learning_rate/generator_optimizer": 2e-4, "learning_rate/discriminator_optimizer": 1e-4}
    )
    assert values["epoch/images_per_second"][8] > 1


def test_values_of_an_epoch_are_means_over_all_its_steps(run):
    values = logged(run)
    for key in TRACKED:
        for last in (4, 8):
            steps = [float(values[f"step/{key}"][step]) for step in range(last - 3, last + 1)]
            # Shares of a small batch can be the same in each step.
            assert len(set(steps)) == 4 or key.endswith("_accuracy")
            assert float(values[of_epoch(key)][last]) == pytest.approx(np.mean(steps), rel=1e-5)


def test_tensorboard_shows_samples_and_settings(run):
    values = logged(run)
    width, height, png = values["samples"][8]
    assert (int(width), int(height)) == (24, 80)
    with (
        Image.open(io.BytesIO(png)) as shown,
        Image.open(run / "samples" / "epoch_0002.png") as kept,
    ):
        assert shown.format == "PNG"
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(kept))
    table = values["config"][0].item().decode()
    assert "| epochs | 2 |" in table
    assert "| variant | cgan |" in table


# A plan -------------------------------------------------------------------------------------------


def test_a_dry_run_shows_the_plan_and_writes_nothing(cgan, tmp_path, capsys):
    status, out, err = run_here(capsys, "train", *cgan, "--dry-run")
    assert (status, err) == (0, "")
    assert re.search(r"^network   generator: [\d,]+ parameters, ", out, re.MULTILINE)
    assert re.search(r"^network   discriminator: [\d,]+ parameters, ", out, re.MULTILINE)
    assert "64 images of 8 x 8 x 1, 3 classes" in out
    assert "2 epochs of 4 steps, batches of 16: 8 steps in all" in out
    assert re.search(r"^memory    about [\d,.]+ MiB", out, re.MULTILINE)
    assert re.search(r"^measured  [\d.e-]+ s a step, [\d,]+ images/s, and at ", out, re.MULTILINE)
    assert re.search(r"^time      about \d+ s on this machine", out, re.MULTILINE)
    assert "run  " not in out
    assert list(tmp_path.iterdir()) == []


def test_without_arguments_the_variants_are_listed(capsys):
    status, out, err = run_here(capsys, "train")
    assert (status, err) == (0, "")
    assert all(f"  {variant} " in out for variant in ("gan", "dcgan", "cgan"))


def test_the_help_of_a_variant_names_units_ranges_and_sources(capsys):
    status, out, _ = run_here(capsys, "train", "cgan", "--help")
    text = " ".join(out.split())
    assert status == 0
    assert "unit: images; range: >= 2" in text
    assert "Radford 2015, section 4" in text


# Refusals: one line, status 2, and nothing written ------------------------------------------------


def refused(capsys, tmp_path, arguments, status=2):
    line = refusal(capsys, "train", *arguments, status=status)
    assert written(tmp_path) == []
    return line


def test_an_unknown_variant(tmp_path, capsys):
    line = refused(capsys, tmp_path, ["cgn", *SMALL, *places(tmp_path)])
    assert "unknown variant 'cgn'" in line
    assert "gan, dcgan, cgan" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch-size", "1"),
        ("latent-dim", "0"),
        ("generator-learning-rate", "0"),
        ("beta-1", "1"),
        ("label-smoothing", "-0.1"),
        ("ema-decay", "1"),
        ("seed", str(2**31)),
        ("epochs", "0"),
        ("log-steps", "0"),
        ("checkpoint-seconds", "-1"),
        ("filters", "[0,4]"),
        ("image-size", "2"),
        ("discriminator-steps", "3"),
    ],
)
def test_a_value_out_of_range_is_named(cgan, tmp_path, capsys, name, value):
    line = refused(capsys, tmp_path, [*cgan, f"--{name}", value])
    assert name.replace("-", "_") in line
    assert "Received: " in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", "many"),
        ("epochs", "1.5"),
        ("generator-learning-rate", "fast"),
        ("beta-1", "nan"),
        ("filters", "[four]"),
        ("loss", "wgan"),
        ("channels", "2"),
    ],
)
def test_a_value_of_another_type_is_named(cgan, tmp_path, capsys, name, value):
    line = refused(capsys, tmp_path, [*cgan, f"--{name}", value])
    assert name.replace("-", "_") in line


@pytest.mark.parametrize("word", ["--epochz", "extra", "--epoch"])
def test_an_unknown_flag_is_named(cgan, tmp_path, capsys, word):
    assert word in refused(capsys, tmp_path, [*cgan, word, "3"])


@pytest.mark.parametrize(
    ("name", "hint"), [("mnst", "mnist"), ("cifar-10", "cifar10"), ("digit", "digits")]
)
def test_an_unknown_dataset_comes_with_a_near_name(cgan, tmp_path, capsys, name, hint):
    line = refused(capsys, tmp_path, [*cgan, "--dataset", name])
    assert f"unknown source '{name}'" in line
    assert f"Did you mean {hint}?" in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"epochz: 3\n", "epochz"),
        (b"variant: gan\nepochs: 1\n", "variant"),
        (b"a: [1\n b: {", "parsing"),
        (b"- 1\n", "config"),
        (bytes(range(256)), "utf-8"),
        (b"epochs: many\n", "epochs"),
    ],
    ids=["unknown key", "another variant", "no YAML", "a list", "binary", "wrong type"],
)
def test_a_configuration_that_cannot_be_used(cgan, tmp_path, capsys, content, words):
    config = tmp_path / "config.yaml"
    config.write_bytes(content)
    assert words in refused(capsys, tmp_path, [*cgan, "--config", config])


def test_a_saved_configuration_has_every_setting_of_its_run(run):
    _, recipe = train.parse(RECIPES["cgan"], ["--config", str(run / "config.yaml")])
    assert recipe.as_dict() == training.saved_settings(run)


def test_the_plan_says_which_weights_a_configuration_does_not_hold(run, tmp_path, capsys):
    for name in ("config.yaml", "run.json"):
        shutil.copy(run / name, tmp_path / name)
    words = ["--config", tmp_path / "config.yaml", *places(tmp_path)]
    assert "begins  " not in planned(capsys, "cgan", *words)
    record = json.loads((run / "run.json").read_text()) | {"begun_from": "runs/other"}
    (tmp_path / "run.json").write_text(json.dumps(record))
    out = planned(capsys, "cgan", *words)
    assert f"begins    with random weights, where {tmp_path} began with those of runs/other" in out


def test_a_configuration_that_is_missing_or_a_folder(cgan, tmp_path, capsys):
    for path in (tmp_path / "none.yaml", tmp_path):
        assert str(path) in refused(capsys, tmp_path, [*cgan, "--config", path])


def test_settings_that_do_not_fit_the_data(cgan, tmp_path, capsys):
    line = refused(capsys, tmp_path, [*cgan, "--batch-size", "65"])
    assert "64" in line
    assert "batch_size=65" in line
    line = refused(capsys, tmp_path, [*cgan, "--loss", "hinge", "--label-smoothing", "0.1"])
    assert "label_smoothing" in line
    assert "hinge" in line


def test_data_that_do_not_fit_the_model(cgan, tmp_path, capsys):
    odd = write_npz(tmp_path / "odd.npz", shape=(6, 7, 1))
    by_size = [*cgan, "--filters", "null"]
    line = refused(capsys, tmp_path, [*by_size, "--dataset", f"npz:{odd}"])
    # The cure in the line is one that works.
    cure = re.search(r"--image-size (\[[\d, ]+\]|\d+)", line)[1]
    cured = planned(capsys, *by_size, "--dataset", f"npz:{odd}", "--image-size", cure)
    assert "8 steps in all" in cured
    plain = write_npz(tmp_path / "plain.npz", classes=None)
    line = refused(capsys, tmp_path, [*cgan, "--dataset", f"npz:{plain}"])
    assert "labels" in line
    assert "gan or dcgan" in line


def test_files_that_are_no_data(cgan, tmp_path, capsys):
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, x_train=np.array([{}], dtype=object))
    (tmp_path / "empty").mkdir()
    for dataset, word in (
        (f"npz:{pickled}", "pickled"),
        (f"npz:{tmp_path}/none.npz", "none.npz"),
        (f"folder:{tmp_path}/empty", "holds no image"),
        (f"folder:{tmp_path}/none", "does not exist"),
    ):
        assert word in refused(capsys, tmp_path, [*cgan, "--dataset", dataset])


@pytest.mark.parametrize("cache_mib", [1024, 0])
def test_a_truncated_picture_is_named_or_skipped(cgan, tmp_path, capsys, cache_mib):
    folder = write_folder(tmp_path / "pictures")
    bad = truncate(folder / "ant" / "0.jpg")
    more = ["--dataset", f"folder:{folder}", "--image-size", "8", "--batch-size", "8"]
    more += ["--cache-mib", cache_mib]
    assert str(bad) in refused(capsys, tmp_path, [*cgan, *more])
    out = planned(capsys, *cgan, *more, "--bad-images", "skip")
    assert "15 images of 8 x 8 x 1, 2 classes" in out
    assert out.count(f"\nskipped   1 unreadable image: {bad}\n") == 1


def test_the_plan_says_what_is_black_and_white_and_what_is_left_out(cgan, tmp_path, capsys):
    folder = write_folder(tmp_path / "pictures", classes=("2", "10"))
    (folder / "2" / "a.heic").touch()
    more = ["--dataset", f"folder:{folder}", "--image-size", "8", "--batch-size", "8"]
    out = planned(capsys, *cgan, *more, "--value-range", "[0, 100.5]")
    assert "\nleft out  files that do not end as pictures do: 1 .heic\n" in out
    assert "\nrange     [0, 100.5] is black to white, see --value-range\n" in out
    line = refused(capsys, tmp_path, [*cgan, *more, "--value-range", "[5, 1]"])
    assert "value_range must be (black, white)" in line


@pytest.mark.parametrize("option", ["--runs-dir", "--export-dir"])
@pytest.mark.parametrize("place", ["{data}", "{data}/x", "/proc/x"])
def test_a_place_that_cannot_be_written(cgan, data, tmp_path, capsys, option, place):
    # Root may write everywhere, but not below a file and not in /proc.
    place = place.format(data=data)
    line = refused(capsys, tmp_path, [*cgan, option, place])
    assert line.startswith("python -m apps.train: cannot ")
    assert place in line


@pytest.mark.parametrize("name", ["a/b", ""])
def test_a_name_that_is_no_folder_name(cgan, tmp_path, capsys, name):
    assert "name must be" in refused(capsys, tmp_path, [*cgan, "--name", name])
    assert "name must be" in refused(capsys, tmp_path, [*cgan, "--name", name, "--dry-run"])


def test_a_run_is_never_overwritten(first, run, cgan, capsys):
    folder, _, _ = first
    before = snapshot(folder)
    line = refusal(capsys, "train", *cgan, *places(folder), "--name", "first")
    assert str(run) in line
    assert "--resume" in line
    assert snapshot(folder) == before


def test_runs_without_a_name_get_names_of_their_own(cgan, tmp_path, capsys):
    """Two of the same second as well."""
    recipe = RECIPES["cgan"](dataset=cgan[2], filters=(4, 4), batch_size=16, epochs=1)
    prepared = training.prepare(recipe)
    made = {training.create(prepared, tmp_path) for _ in range(3)}
    assert len(made) == 3


# Failures while running: one line, status 1 -------------------------------------------------------


def test_a_loss_of_nan_ends_the_run_and_keeps_a_good_checkpoint(cgan, tmp_path, capsys):
    more = ["--generator-learning-rate", "1e30", "--checkpoint-seconds", "0", "--epochs", "5"]
    status, _, err = run_here(capsys, "train", *cgan, *more, "--name", "nan")
    assert status == 1
    *_, line = err.splitlines()
    assert "finite" in line
    assert "learning rate" in line
    assert "Traceback" not in err
    model = checkpoint_of(tmp_path / "runs" / "nan")
    assert all(np.isfinite(v.numpy()).all() for v in model.variables)
    assert not list((tmp_path / "exports").glob("cgan/[0-9]*"))


@pytest.fixture
def with_a_bad_picture(cgan, tmp_path):
    """`(arguments, the picture)`: it is not one of those that are looked at beforehand."""
    folder = write_folder(tmp_path / "pictures", count=100)
    # The first file, and every sixteenth or so, is.
    bad = truncate(folder / "ant" / "37.jpg")
    more = ["--dataset", f"folder:{folder}", "--image-size", "8", "--cache-mib", "0"]
    return [*cgan, *more], bad


def check_names(bad, err):
    (line,) = err.splitlines()
    assert str(bad) in line
    assert "--bad-images skip" in line


def test_a_bad_picture_found_while_training_is_named(with_a_bad_picture):
    """A real process: it must also end, though tf.data still reads."""
    arguments, bad = with_a_bad_picture
    status, out, err = ended(start("train", *arguments))
    assert status == 1, err
    assert "run  " in out
    check_names(bad, err)


def test_a_bad_picture_found_by_the_judge_leaves_no_run(with_a_bad_picture, tmp_path, capsys):
    arguments, bad = with_a_bad_picture
    status, out, err = run_here(capsys, "train", *arguments, "--evaluate-epochs", "1")
    assert status == 1, err
    assert "run  " not in out
    assert not list((tmp_path / "runs").glob("[!.]*"))
    check_names(bad, err)
