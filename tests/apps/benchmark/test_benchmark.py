"""apps.benchmark: its cases, what it divides by what, what it writes. No speed is asserted."""

import functools
import json
import math
import subprocess

import pytest
import tensorflow as tf

from apps.benchmark import __main__ as benchmark
from apps.benchmark import cases, data_scaling, measuring, overhead, step_time, tables
from apps.console import run_app
from keras_gans.errors import InputError, RunError
from keras_gans.recipes import RECIPES


@pytest.fixture
def here(monkeypatch):
    """Cases in this process, on small matrices."""
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
        tmp_path, "gan", "vae", *flags, "--rivals", "blogs", "--precisions", "float32"
    )
    assert report["settings"]["variants"] == ["gan", "vae"]
    assert tf.__version__ in report["machine"]["software"]
    order = [(r["variant"], r["batch_size"], r["precision"]) for r in report["steps"]]
    assert order == [("gan", 4, "float32"), ("vae", 4, "float32")]
    assert [r["rivals"] for r in report["steps"]] == [["blogs"], []]
    for result in report["steps"]:
        check_result(result)
    printed = capsys.readouterr().out
    for text in ("gan", "ratio to blogs", "peak MiB"):
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
        for name in result["rivals"]:
            ratio = rate / values[f"{name}_images_per_second"]
            assert values[f"over_{name}"] == pytest.approx(ratio)
    for key, seen in result["summary"].items():
        assert seen == measuring.spread([values[key] for values in result["rounds"]])


def test_torch_is_timed_beside_it(here, tmp_path, capsys):
    pytest.importorskip("torch")
    flags = ["--batch-sizes", "4", "--steps", "1", "--repeats", "1", "--precisions", "float32"]
    (result,) = reported(tmp_path, "dcgan", *flags, "--rivals", "torch")["steps"]
    values = result["rounds"][0]
    ratio = values["images_per_second"] / values["torch_images_per_second"]
    assert result["summary"]["over_torch"]["median"] == pytest.approx(ratio)
    assert "ratio to torch" in capsys.readouterr().out


def test_pairs_of_images_are_timed_too(here, monkeypatch):
    small = {"generator_filters": 2, "blocks": 0, "discriminator_filters": 2}
    recipe = functools.partial(RECIPES["cyclegan"], **small)
    monkeypatch.setitem(RECIPES, "cyclegan", recipe)
    result = step_time.measure("cyclegan", 2, "mixed_bfloat16", 1, [], repeats=1, steps=1)
    assert result["precision"] == "mixed_bfloat16"
    assert result["mflop_per_image"] > 1
    assert result["summary"]["pipeline_images_per_second"]["median"] > 0


def test_two_replicas_share_a_batch(here, two_replicas, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(
        step_time.distribution, "strategy_of", lambda *args: asked.append(args) or two_replicas
    )
    seen = []
    monkeypatch.setattr(step_time, "fit", lambda run, batch, steps: seen.append((run, batch)))
    result = step_time.measure("gan", 6, "float32", 2, [], repeats=1, steps=1)
    assert asked == [("mirrored", "2")]
    assert (result["replicas"], result["mflop_per_image"]) == (2, None)
    assert result["summary"]["share_of_matmul"] is None
    both = next(iter(step_time._batches(*seen[0])))
    images = both[0] if isinstance(both, tuple) else both
    parts = two_replicas.experimental_local_results(images)
    assert [len(part) for part in parts] == [3, 3]
    one = result | {"replicas": 1}
    tables.print_scaling([one, result])
    assert "2 replicas reach 100.0% of one" in capsys.readouterr().out


def test_a_round_takes_about_two_seconds(monkeypatch):
    times = iter([0.3, 60.0, 0.001])
    monkeypatch.setattr(step_time, "seconds", lambda _: next(times))
    assert [step_time.steps_of_a_round(None, None) for _ in range(3)] == [20, 1, 200]


def test_median_least_and_most():
    rounds = [{"a": 3.0, "b": None}, {"a": 1.0, "b": None}, {"a": 2.5, "b": None}]
    seen = measuring.summary(rounds)
    assert seen == {"a": {"median": 2.5, "least": 1.0, "most": 3.0}, "b": None}
    assert tables.range_text(seen["a"], ".1f") == "2.5 (1.0 to 3.0)"
    assert tables.range_text(seen["b"], ".1f") == ""


def test_growing_data_is_reported_and_leaves_nothing(here, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data_scaling, "DIFFERENT", 20)
    monkeypatch.setattr(data_scaling.tempfile, "tempdir", str(tmp_path))
    flags = ["--batch-sizes", "4", "--steps", "1", "--repeats", "1"]
    report = reported(tmp_path, "gan", "--scale", "24", *flags)
    seen = [(r["images"], r["in_memory"]) for r in report["scale"]]
    assert seen == [(24, False), (24, True)]
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
    monkeypatch.setattr(overhead, "IMAGES", 64)
    monkeypatch.setattr(overhead, "IMAGE_SHAPE", (8, 8, 1))
    monkeypatch.setattr(overhead, "evaluation_seconds", lambda *_: [1.0])
    flags = ["--batch-sizes", "16", "--steps", "2", "--repeats", "1"]
    (result,) = reported(tmp_path, "gan", "--around", *flags)["around"]
    assert result["steps_per_epoch"] == 4
    # Two steps are too few for a figure of any sense, but the parts of it must add up and be shown.
    run = result["run"]
    parts = ("steps_share", "pictures_and_checkpoints_share", "evaluation_share")
    assert run["share"] == pytest.approx(sum(run[part] for part in parts))
    scores = math.ceil(result["epochs"] / result["evaluate_epochs"])  # of 1 s each
    assert run["evaluation_share"] == pytest.approx(scores / run["bare_seconds"])
    printed = capsys.readouterr().out
    assert "together" in printed
    assert f"{100 * run['share']:+.1f}%" in printed


def test_a_case_has_a_process_of_its_own():
    common = {"batch_size": 4, "precision": "float32", "replicas": 1, "repeats": 1, "steps": 1}
    result = cases.run("step", variant="gan", rivals=[], **common)
    assert 100 < result["peak_mib"] < 4000
    assert result["summary"]["matmul_gflop_per_second"]["median"] > 0


def test_a_mistake_found_in_the_process_is_told_in_its_words(capfd):
    common = {"batch_size": 4, "precision": "float32", "repeats": 1, "steps": 2}
    data = {"dataset": "npz:/nowhere.npz", "data_dir": None, "folder": "/nowhere"}
    with pytest.raises(InputError, match=r"^/nowhere.npz cannot be read"):
        cases.run("around", variant="gan", **data, **common)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("status", "stderr", "kind", "text", "shown"),
    [
        (2, "a note\ncase: no such file", InputError, "^no such file$", False),
        (1, "case: the disk is full", RunError, "gan could not be measured: the disk", False),
        (1, "Traceback\nTypeError: x", RunError, "gan could not be measured: TypeError: x", True),
        (-9, "", RunError, "gan could not be measured: ended by signal 9", False),
    ],
)
def test_how_a_process_can_fail(status, stderr, kind, text, shown, monkeypatch, capsys):
    ended = subprocess.CompletedProcess([], status, "", stderr)
    monkeypatch.setattr(cases.subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(kind, match=text):
        cases.run("step", variant="gan")
    assert (capsys.readouterr().err == stderr) == (shown or not stderr)


def test_by_default_every_variant_and_nothing_twice(monkeypatch):
    monkeypatch.setattr(benchmark, "_check_step_cases", lambda _: None)
    monkeypatch.setattr(benchmark, "precision_of", lambda name: ("float32", name))
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
        (["gan", "--rivals", "jax"], "unknown rival 'jax'"),
        (["vae", "--rivals", "blogs"], "the rival blogs trains gan, dcgan, cgan"),
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
