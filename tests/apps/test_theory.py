"""apps.theory: the experiments, their pictures and the table, as a user starts them."""

import pytest
from PIL import Image

from apps import theory
from apps.console import run_app
from keras_gans.theory.claims import Outcome
from tests.apps.processes import logged

pytestmark = pytest.mark.slow


def test_chosen_claims_are_tested_drawn_and_tabled(tmp_path, capsys):
    out = tmp_path / "theory"
    theory.main(["--claim", "support", "likelihood", "--out", str(out)])
    head, _, first, second, *_ = capsys.readouterr().out.splitlines()
    assert head == "| # | claim | measured | holds |"
    assert first.startswith("| 3 | KL explodes outside the support. | KL infinite at 80 of 80 ")
    assert "W_1 = \\|shift\\|" in first
    assert second.startswith("| 2 | Maximum likelihood is minimal KL")
    assert first.endswith("| yes |")
    assert second.endswith("| yes |")
    for name in ("support", "likelihood"):
        with Image.open(out / name / f"{name}.png") as picture:
            assert min(picture.size) > 300
        assert name in logged(out / name)


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["--claim", "mode"], "unknown claim 'mode': choose of population, likelihood"),
        (["--out", "/dev/null/x"], "cannot write to /dev/null/x"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(arguments, cause, capsys):
    with pytest.raises(SystemExit) as end:
        run_app(theory.PROGRAM, lambda: theory.main(arguments))
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert cause in line


def test_a_claim_that_does_not_hold_says_so():
    table = theory.markdown_table({"modes": Outcome("8 of 8 modes", False, {}, {})})
    assert table.splitlines()[-1] == "| 11 | GANs lose modes. | 8 of 8 modes | no |"
