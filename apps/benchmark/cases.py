"""Measures one case in a process of its own, whose memory is the case's: `run`.

It is `python -m apps.benchmark.cases '["step", {...}]'` and prints JSON. Every case has `variant`,
`batch_size`, `precision`, `repeats` (rounds after what warms up) and `steps` (in a round, or None).
"""

import contextlib
import json
import subprocess
import sys

if "tensorflow" not in sys.modules:
    with contextlib.suppress(ImportError):  # PyTorch's compiler: crashes if TensorFlow is first
        import triton  # noqa: F401

import apps.quiet  # noqa: F401
from apps import console
from apps.benchmark import data_scaling, overhead, step_time
from keras_gans.errors import InputError, RunError

PROGRAM = "case"
KINDS = {"step": step_time.measure, "scale": data_scaling.measure, "around": overhead.measure}


def run(kind, **arguments):
    """Runs `KINDS[kind](**arguments)` in a new process; returns what it returns.

    Raises InputError for a user's mistake, in that process's words, else RunError if it fails.
    """
    command = [sys.executable, "-m", "apps.benchmark.cases", json.dumps([kind, arguments])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode == 0:
        return json.loads(ended.stdout)
    *_, last = ["", *ended.stderr.splitlines()]
    reason = last.removeprefix(f"{PROGRAM}: ")
    if ended.returncode == 2 and reason != last:
        raise InputError(reason)
    if ended.returncode < 0:
        reason = f"ended by signal {-ended.returncode}; 9 is what the system sends without memory"
    elif reason == last:
        sys.stderr.write(ended.stderr)  # an error nobody foresaw, with its place
    raise RunError(f"{arguments['variant']} could not be measured: {reason}")


def main():
    """Measures the case that the command line names and prints it as JSON."""
    kind, arguments = json.loads(sys.argv[1])
    # Standard output is the result's alone.
    with contextlib.redirect_stdout(sys.stderr):
        result = KINDS[kind](**arguments)
    print(json.dumps(result))


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
