"""apps.benchmark.tables: every cell at its place, what is unknown left empty."""

import pytest

from apps.benchmark import tables

SPREAD = {"median": 1250.4, "least": 1000.0, "most": 2000.0}
RESULT = {
    "variant": "gan",
    "batch_size": 64,
    "precision": "float32",
    "replicas": 1,
    "mflop_per_image": None,
    "first_step_seconds": 2.34,
    "summary": {"images_per_second": SPREAD, "step_milliseconds": {"median": 51.16}},
}


def test_a_spread_in_words():
    spread = {"median": 2.5, "least": 1.0, "most": 3.0}
    assert tables.range_text(spread, ".1f") == "2.5 (1.0 to 3.0)"
    assert tables.range_text(None, ".1f") == ""


def test_cells_stand_below_their_heads(capsys):
    assert tables.print_table(tables.STEPS, iter([RESULT])) == [RESULT]
    _, head, row = capsys.readouterr().out.splitlines()
    for name, text in (("variant", "gan"), ("images/s", "1,250 (1,000 to 2,000)")):
        assert row[head.index(name) :].startswith(text)
    for name, text in (("batch", "64"), ("step, ms", "51.2"), ("first step, s", "2.3")):
        assert row[: head.index(name) + len(name)].endswith(text)
    assert row[head.index("MFLOP/image") : head.index("first step, s")].strip() == ""


def test_a_row_is_printed_before_the_next_is_measured(capsys):
    def results():
        yield RESULT
        assert "gan" in capsys.readouterr().out
        yield RESULT

    assert len(tables.print_table(tables.STEPS, results())) == 2


def test_baselines_stand_below_what_they_are_compared_with(capsys):
    summary = {
        "images_per_second": SPREAD,
        "blogs_images_per_second": {"median": 500.0, "least": 400.0, "most": 600.0},
        "over_blogs": {"median": 2.5, "least": 2.0, "most": 3.0},
    }
    tables.print_table(tables.STEPS, [RESULT | {"baselines": ["blogs"], "summary": summary}])
    rows = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[3:]]
    assert rows == [["blogs", "500 (400 to 600)"], ["ratio", "to blogs       " + rows[1][1][15:]]]
    assert rows[1][1].endswith("2.50 (2.00 to 3.00)")


@pytest.mark.parametrize(("in_memory", "text"), [(True, "once"), (False, "each time")])
def test_whether_images_are_decoded_once(in_memory, text, capsys):
    tables.print_table(tables.SCALE, [{"in_memory": in_memory}])
    assert capsys.readouterr().out.splitlines()[-1].strip() == text


def test_several_replicas_are_compared_with_one(capsys):
    two = {"images_per_second": {"median": 1875.6}}
    tables.print_scaling([RESULT, RESULT | {"replicas": 2, "summary": two}])
    assert capsys.readouterr().out == ("gan, batch 64, float32: 2 replicas reach 150.0% of one\n")
