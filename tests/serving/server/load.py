"""Load on a server's REST route, and what became of each request.

    python -m tests.serving.server.load http://127.0.0.1:8501/v1/models/cgan:predict

prints requests a second and latencies of `generate` at 1, 8 and 32 clients, batches of 1 and 16.
Every client holds one connection and asks again as soon as it is answered, as seeds go up.
"""

import collections
import http.client
import json
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Outcome:
    """Seconds of every answered request, and how many ended otherwise, by what happened."""

    seconds: list = field(default_factory=list)
    failures: collections.Counter = field(default_factory=collections.Counter)
    elapsed: float = 0.0

    def __str__(self):
        p50, p99 = 1000 * np.percentile(self.seconds, [50, 99])
        rate = len(self.seconds) / self.elapsed
        lost = f"; failures {dict(self.failures)}" if self.failures else ""
        return f"{rate:7.1f} requests/s, p50 {p50:6.1f} ms, p99 {p99:6.1f} ms{lost}"


def load(url, clients, requests, body, stop=None):
    """Asks until `requests` were answered, or `stop` is set; returns an `Outcome`.

    A connection that the server closed while it was idle is opened again and the request repeated,
    as every HTTP client does; a request that was cut off while it was answered counts as lost.
    """
    address, outcome, lock = urllib.parse.urlsplit(url), Outcome(), threading.Lock()
    left = iter(range(requests))

    def ask_on():
        connection = None
        for number in left:
            if stop is not None and stop.is_set():
                return
            content = json.dumps(body(number)).encode()
            began = time.perf_counter()
            for attempt in range(2):
                fresh = connection is None
                connection = connection or http.client.HTTPConnection(address.netloc, timeout=60)
                try:
                    connection.request("POST", address.path, content)
                    response = connection.getresponse()
                    response.read()
                    what = response.status
                except ConnectionRefusedError:
                    what = "refused"  # it was not accepted
                except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                    what = "closed" if fresh else "idle"  # before a byte of an answer
                except (OSError, http.client.HTTPException) as error:
                    what = f"lost: {type(error).__name__}"
                if what != 200:
                    connection.close()
                    connection = None
                if what != "idle" or attempt:
                    break
            with lock:
                if what == 200:
                    outcome.seconds.append(time.perf_counter() - began)
                else:
                    outcome.failures[what] += 1

    threads = [threading.Thread(target=ask_on) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome.elapsed = time.perf_counter() - began
    return outcome


def generate_body(rows, labelled=True):
    """Makes bodies that ask `generate` for as many rows, each time of other seeds."""

    def body(number):
        seeds = [rows * number + row for row in range(rows)]
        label = {"label": number % 3} if labelled else {}
        return {"signature_name": "generate", "instances": [{"seed": s, **label} for s in seeds]}

    return body


def main(url, requests=1000):
    """Prints the table."""
    for rows in (1, 16):
        for clients in (1, 8, 32):
            outcome = load(url, clients, requests, generate_body(rows))
            print(f"batch {rows:2}, {clients:2} clients: {outcome}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
