"""Trains on several workers of this machine: `python -m apps.workers 2 dcgan --dataset mnist`.

Each is a process of `apps.train` as it would run on a machine of its own. What the first one, the
chief, prints is shown; what another one says, if it fails.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

# Nothing of keras_gans: TensorFlow would take seconds, and memory as long as the workers train.

PROGRAM = "python -m apps.workers"
POLL_SECONDS = 0.2
# The chief's last work is the export, behind which nothing is left to do for the others.
END_SECONDS = 60.0


def main(arguments=None):
    """Starts the workers and waits for them; ends with the chief's status."""
    count, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if count in ("-h", "--help"):
        print(f"usage: {PROGRAM} COUNT VARIANT [options of python -m apps.train VARIANT]")
        return
    if not count.isdecimal() or int(count) < 2:
        print(
            f"{PROGRAM}: the number of workers must be an integer from 2 on. Received: {count!r}",
            file=sys.stderr,
        )
        sys.exit(2)
    with contextlib.ExitStack() as stack:
        logs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(int(count))]
        ports = _free_ports(int(count))
        processes = []
        try:
            for index, log in enumerate(logs):
                processes.append(start(index, ports, rest, log))
            sys.exit(watch(processes, logs))
        finally:
            # Nobody is left behind; what a worker holds is in the chief's checkpoint.
            for process in processes:
                process.kill()
                process.wait()


def start(index, ports, arguments, log):
    """Starts one worker, in a session of its own: Ctrl-C must reach the chief alone."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
    # The workers share the cores, or each would start a thread for each core.
    threads = str(max(1, _usable_cores() // len(ports)))
    environment = {"TF_NUM_INTRAOP_THREADS": threads, **os.environ, "TF_CONFIG": config}
    output = {} if index == 0 else {"stdout": log, "stderr": log}
    command = [sys.executable, "-m", "apps.train", *arguments]
    return subprocess.Popen(command, env=environment, start_new_session=True, **output)


def watch(processes, logs):
    """Waits until all have ended, or one has failed; returns the exit status."""
    chief = processes[0]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: chief.send_signal(number))
    while chief.poll() is None:
        failed = [i for i, process in enumerate(processes) if process.poll()]
        if failed:
            # A mistake that every worker meets ends the chief as well, in its own words.
            with contextlib.suppress(subprocess.TimeoutExpired):
                chief.wait(timeout=5.0)
            if chief.poll() is None:
                return _report(failed[0], processes, logs)
        time.sleep(POLL_SECONDS)
    if chief.returncode == 0:
        return _last_status(processes, logs)
    return chief.returncode if chief.returncode > 0 else _report(0, processes, logs)


def _usable_cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS does not tell which cores a process may use


def _free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _last_status(processes, logs):
    """Waits for the others once the chief has ended well; returns the exit status."""
    deadline = time.monotonic() + END_SECONDS
    for index, process in enumerate(processes):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
        if process.returncode:
            return _report(index, processes, logs)
    return 0


def _report(index, processes, logs):
    """Prints which worker failed, and its last lines; returns the exit status."""
    status = processes[index].returncode
    how = f"ended with status {status}" if status > 0 else f"was killed by signal {-status}"
    if index:
        logs[index].seek(0)
        sys.stderr.writelines(logs[index].readlines()[-20:])
    print(
        f"{PROGRAM}: worker {index} {how}, and so the others were ended: the same command again "
        "goes on from the last checkpoint",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        sys.exit(130)
