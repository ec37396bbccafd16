"""apps.benchmark.measuring: how numbers spread, the machine."""

import pytest
import tensorflow as tf

from apps.benchmark import measuring


def test_median_least_and_most():
    rounds = [{"a": 3.0, "b": None}, {"a": 1.0, "b": None}, {"a": 2.5, "b": None}]
    seen = measuring.summary(rounds)
    assert seen == {"a": {"median": 2.5, "least": 1.0, "most": 3.0}, "b": None}


def test_a_matrix_products_rate_counts_its_operations(monkeypatch):
    monkeypatch.setattr(measuring, "MATRIX_SIZE", 10)
    monkeypatch.setattr(measuring, "seconds", lambda function: function() and 0.5)
    # 3 products of 10 x 10 x 10 multiplications and as many additions, in half a second.
    assert measuring.matmul_rate("float32") == pytest.approx(3 * 2 * 1000 / 0.5 / 1e9)


@pytest.mark.parametrize(("flags", "word"), [("fma avx512_bf16 x", "with"), ("avx512f", "without")])
def test_the_machine_is_described(flags, word, tmp_path, monkeypatch):
    file = tmp_path / "cpuinfo"
    file.write_text(f"processor : 0\nmodel name\t: Some CPU @ 2: fast\nflags\t\t: {flags}\n")
    monkeypatch.setattr(measuring, "CPU_INFO", file)
    machine = measuring.describe_machine()
    assert machine["cpu"].startswith("Some CPU @ 2: fast, ")
    assert machine["cpu"].endswith(f"cores, {word} avx512_bf16")
    assert machine["memory"].endswith(" GiB")
    assert f"TensorFlow {tf.__version__}" in machine["software"]
    monkeypatch.setattr(measuring, "CPU_INFO", tmp_path / "none")
    assert measuring.describe_machine()["cpu"]
