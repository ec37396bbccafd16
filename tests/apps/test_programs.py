"""Every program as `python -m apps.<name>` starts it: its name, its status, no notes of Keras's."""

import re
import subprocess
import sys

import pytest

from tests.apps.processes import ROOT, TIMEOUT

pytestmark = pytest.mark.slow

PROGRAMS = ("evaluate", "export", "generate", "project", "theory", "train", "translate", "walk")
# One process for all: TensorFlow is what takes its time.
ALL = """
import runpy, sys
for name in sys.argv[1:]:
    sys.argv = [name, "--nonsense", "1"]
    try:
        runpy.run_module(f"apps.{name}", run_name="__main__", alter_sys=True)
        print(name, "did not end")
    except SystemExit as end:
        print(name, end.code)
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_keeps_the_terminal_quiet_comes_before_the_library(name):
    """In the process below the first program's import would do for all."""
    lines = (ROOT / "apps" / f"{name}.py").read_text("utf-8").splitlines()
    imports = [line.split()[1] for line in lines if re.match("(import|from) (apps|keras)", line)]
    assert imports[0] == "apps.quiet"


def test_a_wrong_option_ends_each_program_in_one_line_and_status_2():
    done = subprocess.run(
        [sys.executable, "-c", ALL, *PROGRAMS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.stdout.splitlines() == [f"{name} 2" for name in PROGRAMS]
    lines = done.stderr.splitlines()
    assert len(lines) == len(PROGRAMS)
    for name, line in zip(PROGRAMS, lines, strict=True):
        assert line.startswith(f"python -m apps.{name}: ")
