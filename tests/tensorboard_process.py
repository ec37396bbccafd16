"""TensorBoard as `make tensorboard` starts it, on a free port, and what it answers."""

import contextlib
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAM = "import apps.quiet; from tensorboard.main import run_main; run_main()"
MORE_PICTURES = ["--samples_per_plugin", "images=100"]
TIMEOUT = 120  # s; it takes about 5, more when the machine is busy


class Dashboard:
    """A running TensorBoard."""

    def __init__(self, url):
        self.url = url
        # A proxy that the surroundings name has no business between two programs of a machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path, body=None):
        """The bytes that `/data/<path>` answers with; a `body` is sent as JSON."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}data/{path}", data, headers)
        with self._opener.open(request, timeout=TIMEOUT) as response:
            return response.read()

    def json(self, path, body=None):
        return json.loads(self.get(path, body))

    def wait_for(self, path, accept):
        """Asks until `accept` takes the decoded answer; returns it."""
        deadline = time.monotonic() + TIMEOUT
        while not accept(answer := self.json(path)):
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)
        return answer


@contextlib.contextmanager
def running_tensorboard(logdir):
    """Starts it on a folder of runs, gives a `Dashboard` that has read them, and ends it."""
    options = ["--logdir", str(logdir), "--host", "127.0.0.1", "--port", "0", *MORE_PICTURES]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *options], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    try:
        dashboard = Dashboard(_announced(process))
        runs = {path.parent.name for path in Path(logdir).glob("*/events.out.tfevents.*")}
        dashboard.wait_for("plugin/scalars/tags", lambda tags: set(tags) == runs)
        yield dashboard
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT)


def _announced(process):
    """The address that a TensorBoard says it is at, once it is."""
    watchdog = threading.Timer(TIMEOUT, process.kill)
    watchdog.start()
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"http://\S+:\d+/", line):
            watchdog.cancel()
            return found[0]
    raise AssertionError(f"TensorBoard ended: {''.join(said)}")
