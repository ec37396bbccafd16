"""apps.benchmark: its cases, what it divides by what, what it writes. No speed is asserted."""

import functools
import importlib.util
import json
import math
from pathlib import Path

import pytest
import tensorflow as tf

from apps.benchmark import __main__ as benchmark
from apps.benchmark import baselines, cases, data_scaling, measuring, overhead, step_time
from apps.console import run_app
from keras_gans.recipes import RECIPES

pytestmark = pytest.mark.slow


@pytest.fixture
def here(monkeypatch):
    """Cases in this process, on small networks and matrices."""
    for variant, size in (("dcgan", {"filters": (4,)}), ("vae", {"units": (8,)})):
        monkeypatch.setitem(RECIPES, variant, functools.partial(RECIPES[variant], **size))
    monkeypatch.setattr(measuring, "MATRIX_SIZE", 64)
    monkeypatch.setattr(step_time, "PIPELINE_BATCHES", 3)
    monkeypatch.setattr(cases, "run", lambda kind, **arguments: cases.KINDS[kind](**arguments))


def reported(tmp_path, *arguments):
    file = tmp_path / "reports" / "benchmark.json"
    benchmark.main([*arguments, "--json", str(file)])
    return json.loads(file.read_text())


def test_every_case_is_reported(here, tmp_path, capsys):
    flags = ["--batch-sizes", "4", "--steps", "1", "--repeats", "2"]
    report = reported(
        tmp_path, "dcgan", "vae", *flags, "--baselines", "blogs", "--precisions", "float32"
    )
    assert report["settings"]["variants"] == ["dcgan", "vae"]
    assert tf.__version__ in report["machine"]["software"]
    order = [(r["variant"], r["batch_size"], r["precision"]) for r in report["steps"]]
    assert order == [("dcgan", 4, "float32"), ("vae", 4, "float32")]
    assert [r["baselines"] for r in report["steps"]] == [["blogs"], []]
    for result in report["steps"]:
        check_result(result)
    printed = capsys.readouterr().out
    for text in ("dcgan", "ratio to blogs", "peak MiB"):
        assert text in printed


def check_result(result):
    assert len(result["rounds"]) == 2
    assert result["steps"] == 1
    assert result["first_step_seconds"] > 0
    assert result["peak_mib"] > 100
    total = sum(row["mflop"] for row in result["operations"])
    assert result["mflop_per_image"] == pytest.approx(total / result["batch_size"])
    for values in result["rounds"]:
        rate, gflops = values["images_per_second"], values["matmul_gflop_per_second"]
        assert values["step_milliseconds"] == pytest.approx(1000 * result["batch_size"] / rate)
        share = result["mflop_per_image"] / 1000 * rate / gflops
        assert values["share_of_matmul"] == pytest.approx(share)
        for name in result["baselines"]:
            ratio = rate / values[f"{name}_images_per_second"]
            assert values[f"over_{name}"] == pytest.approx(ratio)
    for key, seen in result["summary"].items():
        assert seen == measuring.spread([values[key] for values in result["rounds"]])


@pytest.mark.parametrize("variant", baselines.TORCH)
def test_torch_is_timed_beside_it(variant, tmp_path, capsys):
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    flags = ["--batch-sizes", "4", "--steps", "1", "--repeats", "1", "--precisions", "float32"]
    (result,) = reported(tmp_path, variant, *flags, "--baselines", "torch")["steps"]
    values = result["rounds"][0]
    ratio = values["images_per_second"] / values["torch_images_per_second"]
    assert result["summary"]["over_torch"]["median"] == pytest.approx(ratio)
    assert "ratio to torch" in capsys.readouterr().out


def test_growing_data_is_reported_and_leaves_nothing(here, eagerly, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data_scaling, "DIFFERENT", 20)
    monkeypatch.setattr(data_scaling.tempfile, "tempdir", str(tmp_path))
    flags = ["--batch-sizes", "4", "--steps", "1", "--repeats", "2"]
    report = reported(tmp_path, "dcgan", "--scale", "24", *flags)
    seen = [(r["images"], r["in_memory"], r["steps"]) for r in report["scale"]]
    assert seen == [(24, False, 1), (24, True, 1)]
    for result in report["scale"]:
        assert len(result["rounds"]) == 2
        assert result["images_per_second"]["most"] == max(result["rounds"])
        for key in ("first_step", "first_batch", "mid_epoch_batch", "mid_epoch_open"):
            assert result[f"{key}_seconds"] > 0
        assert result["peak_mib"] > 100
    assert not list(tmp_path.glob("benchmark-*"))
    printed = capsys.readouterr().out
    assert "each time" in printed
    assert "in mid-epoch" in printed


def test_an_interrupted_measurement_deletes_its_folder(tmp_path, monkeypatch):
    def interrupted(kind, **arguments):
        assert len(list(tmp_path.rglob("*.png"))) == 1100
        raise KeyboardInterrupt

    monkeypatch.setattr(data_scaling.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(cases, "run", interrupted)
    with pytest.raises(SystemExit) as end:
        run_app(benchmark.PROGRAM, lambda: benchmark.main(["--scale", "1100"]))
    assert end.value.code == 130
    assert not list(tmp_path.iterdir())


def test_what_is_around_the_step_is_reported(here, tmp_path, monkeypatch, capsys):
    """Real training and real scores, in the small."""
    written = []

    def run(kind, folder, **arguments):
        result = cases.KINDS[kind](folder=folder, **arguments)
        written.extend(path.name for path in Path(folder, "run").rglob("*"))
        return result

    monkeypatch.setattr(cases, "run", run)
    # A classifier would have to be fitted first.
    monkeypatch.setitem(RECIPES, "dcgan", functools.partial(RECIPES["dcgan"], features="pixels"))
    monkeypatch.setattr(overhead, "IMAGES", 64)
    monkeypatch.setattr(overhead, "IMAGE_SHAPE", (8, 8, 1))
    flags = ["--batch-sizes", "16", "--repeats", "1"]
    (result,) = reported(tmp_path, "dcgan", "--around", *flags)["around"]
    # A round is no longer than an epoch.
    assert (result["images"], result["steps"], result["steps_per_epoch"]) == (64, 4, 4)
    (values,) = result["rounds"]
    ratio = values["real_seconds"] / values["bare_seconds"]
    assert values["real_over_bare"] == pytest.approx(ratio)
    # It was real: pictures, logs and a checkpoint.
    assert "checkpoint.keras" in written
    assert any(name.startswith("events.out.tfevents.") for name in written)
    assert any(name.endswith(".png") for name in written)
    # So few steps are too few for a figure of any sense, but its parts must add up and be shown.
    shares, parts = result["run"], ("steps", "pictures_and_checkpoints", "evaluation")
    assert shares["share"] == pytest.approx(sum(shares[f"{part}_share"] for part in parts))
    evaluation = math.ceil(result["epochs"] / result["evaluate_epochs"])
    evaluation *= result["evaluation_seconds"]["median"]
    assert shares["evaluation_share"] == pytest.approx(evaluation / shares["bare_seconds"])
    assert evaluation > 0
    printed = capsys.readouterr().out
    assert "together" in printed
    assert f"{100 * shares['share']:+.1f}%" in printed


def test_by_default_every_variant_and_nothing_twice(monkeypatch):
    monkeypatch.setattr(benchmark, "_check_step_cases", lambda _: None)
    monkeypatch.setattr(benchmark, "choose_precision", lambda name: ("float32", name))
    options = benchmark._parse([])
    assert options.variants == list(RECIPES)
    assert (options.batch_sizes, options.precisions, options.replicas) == ([64], ["float32"], [1])
    assert benchmark._parse(["--around"]).variants == ["dcgan"]


@pytest.mark.parametrize(
    ("flags", "cause"),
    [
        (["pixelcnn"], "unknown variant 'pixelcnn'"),
        (["gan", "--batch-sizes", "1"], "batch_size must be >= 2"),
        (["gan", "--batch-sizes", "4000"], "must not exceed the number of images, 1797"),
        (["cyclegan", "--batch-sizes", "1000"], "must not exceed the number of images"),
        (["gan", "--replicas", "0"], "--replicas must be at least 1"),
        (["gan", "--replicas", "3"], "multiple of the 3 replicas"),
        (["gan", "--precisions", "float8"], "precision must be one of auto"),
        (["gan", "--baselines", "jax"], "unknown baseline 'jax'"),
        (["vae", "--rivals", "blogs"], "the baseline blogs trains gan, dcgan, cgan"),
        (["--scale", "1000000000000"], "--scale 1000000000000 needs"),
        (["--scale", "10"], "at least the batch size"),
        (["cyclegan", "--scale", "100"], "cyclegan takes two"),
        (["gan", "--repeats", "0"], "--repeats must be at least 1"),
        (["gan", "--around", "--steps", "1"], "--steps must be at least 2"),
        (["--steps", "many"], "steps"),
        (["--step", "2"], "--step"),
        (["gan", "--json", "."], "--json must be a file"),
        (["gan", "--json", "/dev/null/report.json"], "cannot write to /dev/null"),
    ],
)
def test_a_mistake_ends_in_one_line_and_status_2(flags, cause, capsys, monkeypatch):
    monkeypatch.setattr(cases, "run", lambda *_, **__: pytest.fail("measured"))
    with pytest.raises(SystemExit) as end:
        run_app(benchmark.PROGRAM, lambda: benchmark.main(flags))
    (line,) = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    assert cause in line
