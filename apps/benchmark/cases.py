"""Measures one case in a process of its own, whose memory is the case's: `run`.

The process is `python -m apps.benchmark.cases '["step", {...}]'`; it prints what it measured as
JSON.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import apps.quiet  # noqa: F401
from apps import console
from apps.benchmark import data_scaling, overhead, step_time
from keras_gans.errors import InputError, RunError

PROGRAM = "case"
ROOT = Path(__file__).parents[2]
KINDS = {"step": step_time.measure, "scale": data_scaling.measure, "around": overhead.measure}


def run(kind, **arguments):
    """Runs `KINDS[kind](**arguments)` in a new process; returns what it returns.

    Raises:
        InputError: If the process found a user's mistake, in its words.
        RunError: If it failed otherwise.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    ended = subprocess.run(
        [sys.executable, "-m", "apps.benchmark.cases", json.dumps([kind, arguments])],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise _failure(ended, arguments)
    return json.loads(ended.stdout)


def _failure(ended, arguments):
    *_, last = ["", *ended.stderr.splitlines()]
    reason = last.removeprefix(f"{PROGRAM}: ")
    if ended.returncode == 2 and reason != last:
        return InputError(reason)
    if ended.returncode < 0:
        reason = f"ended by signal {-ended.returncode}; 9 is what the system sends without memory"
    elif reason == last:
        sys.stderr.write(ended.stderr)  # an error nobody foresaw, with its place
    return RunError(f"{arguments.get('variant')} could not be measured: {reason}")


def main():
    """Measures the case that the command line names and prints it as JSON."""
    kind, arguments = json.loads(sys.argv[1])
    # Standard output is the result's alone.
    with contextlib.redirect_stdout(sys.stderr):
        result = KINDS[kind](**arguments)
    print(json.dumps(result))


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
