"""Load on a server's REST route, and what became of each request.

    make serve MODEL=cgan ARGS=--embedded
    python -m tests.serving.server.load ADDRESS runs/cgan saved_models/cgan

prints how long a server loads that export; then requests a second and latencies of `generate` at 1,
8 and 32 clients, batches of 1 and 16, and in turn with them of loops in this process: `predict` of
the run's Keras model, and `generate` of the export that is served. ADDRESS is as
`http://127.0.0.1:8501/v1/models/cgan:predict`. Every client holds one connection and asks again as
soon as it is answered, as seeds go up.
"""

import collections
import http.client
import json
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

import apps.quiet  # noqa: F401  before Keras

# isort: split
import numpy as np

LOADS = 8
ROUNDS = 5
CLIENTS = (1, 8, 32)
PREDICT = "model.predict"
PREDICT_SHARE = 10  # one call to so many requests: it is slow


@dataclass
class Outcome:
    """Seconds of every answered request, and how many ended otherwise, by what happened."""

    seconds: list = field(default_factory=list)
    failures: collections.Counter = field(default_factory=collections.Counter)
    elapsed: float = 0.0

    def add(self, other):
        """Takes another's requests in, which were made before or after these."""
        self.seconds += other.seconds
        self.failures += other.failures
        self.elapsed += other.elapsed

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


def loop(call, requests):
    """Calls `call(number)` again and again in this thread; returns an `Outcome`."""
    outcome, began = Outcome(), time.perf_counter()
    for number in range(requests):
        start = time.perf_counter()
        call(number)
        outcome.seconds.append(time.perf_counter() - start)
    outcome.elapsed = time.perf_counter() - began
    return outcome


def in_process(run, export, rows):
    """`{what: function of a number}` that makes the images of as many seeds in this process."""
    import tensorflow as tf

    from keras_gans import serving, training

    model, endpoints = training.load_run(run), serving.Endpoints.from_export(export)
    latent = tf.random.normal([rows, model.latent_dim])

    def labels(number):
        return tf.fill([rows], number % 3)

    def predict(number):
        model.predict([latent, labels(number)], batch_size=rows, verbose=0)

    def generate(number):
        seeds = tf.range(rows * number, rows * (number + 1))
        endpoints["generate"](seed=seeds, label=labels(number))["image"].numpy()

    return {PREDICT: predict, "the export, in Python": generate}


def load_seconds(export):
    """Processor and wall seconds that the embedded server needs to load an export, of each load."""
    from keras_gans.serving.export import version_dir
    from keras_gans.serving.server.versions import LoadedVersion

    for _ in range(LOADS):
        began = time.process_time(), time.perf_counter()
        LoadedVersion(version_dir(export))
        yield time.process_time() - began[0], time.perf_counter() - began[1]


def main(url, run, export, requests=1000):
    """Prints the table."""
    processor, wall = np.min(list(load_seconds(export)), axis=0)
    print(f"a load: {processor:.2f} s of processor time, {wall:.2f} s in all; least of {LOADS}")
    for rows in (1, 16):
        calls = in_process(run, export, rows)
        shares = {what: PREDICT_SHARE if what == PREDICT else 1 for what in calls}
        found = {name: Outcome() for name in (*CLIENTS, *calls)}
        for call in calls.values():
            call(0)  # the first is compiled
        for _ in range(ROUNDS):
            for clients in CLIENTS:
                asked = load(url, clients, requests // ROUNDS, generate_body(rows))
                found[clients].add(asked)
            for what, call in calls.items():
                found[what].add(loop(call, requests // ROUNDS // shares[what]))
        for name, outcome in found.items():
            what = name if name in calls else f"{name} clients"
            print(f"batch {rows:2}, {what:22}: {outcome}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))
