"""Starts the embedded server, REST and gRPC in one process, and stops it without losing a request.

On SIGTERM or Ctrl-C it takes no more connections, answers what it has accepted, and ends.
"""

import os
import signal
import socket
import threading
from dataclasses import dataclass

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from keras_gans.errors import InputError
from keras_gans.serving.server import grpc_api, rest

MIB = 2**20
STOP_SECONDS = 30  # for what was accepted
CONNECTIONS = 200


@dataclass(frozen=True)
class Settings:
    """Where the server listens, and what it allows.

    Args:
        host, port, grpc_port: Address and ports; port 0 is any that is free.
        allow_origins: Origins of pages whose scripts may ask, `*` for all; none: no CORS at all.
        max_bytes: The largest request.
        max_bytes_held: The largest sum of requests that are in memory.
        send_seconds: How long a client may take to send a request.
        run_seconds: How long a request may wait and run.
        threads: Requests that run at a time, of each kind.
    """

    host: str = "127.0.0.1"
    port: int = 8501
    grpc_port: int = 8500
    allow_origins: tuple[str, ...] = ()
    max_bytes: int = 16 * MIB
    max_bytes_held: int = 128 * MIB
    send_seconds: float = 30.0
    run_seconds: float = 60.0
    threads: int = max(2, os.cpu_count() or 1)


def serve(store, settings, announce=print):
    """Serves the models of a `ModelStore`, loaded before, until a signal stops it.

    Args:
        store: What to serve; followed while the server runs.
        settings: `Settings`.
        announce: Called once with the ports `(REST, gRPC)` when requests are answered.

    Raises:
        InputError: If a port is taken.
    """
    rest_server, listener, grpc_server, grpc_port = make_servers(store, settings)
    # uvicorn raises the signal that stopped it once more when it has ended: gRPC ends after it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    follower = threading.Thread(target=store.follow, daemon=True)
    follower.start()
    grpc_server.start()
    announce(listener.getsockname()[1], grpc_port)
    rest_server.run(sockets=[listener])
    store.stopping.set()
    grpc_server.stop(STOP_SECONDS).wait()
    follower.join()


def make_servers(store, settings):
    """Makes what `serve` runs: `(uvicorn server, its socket, gRPC server, its port)`.

    Raises InputError if a port is taken.
    """
    listener = _listen(settings.host, settings.port)
    grpc_server = grpc_api.make_server(store, settings)
    grpc_port = _add_port(grpc_server, settings)
    config = uvicorn.Config(
        rest.make_app(store, settings),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return uvicorn.Server(config), listener, grpc_server, grpc_port


def _listen(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Of a socket that does not name TCP, asyncio leaves Nagle's delay on: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Whoever asks as soon as the port is announced waits, and is not refused.
        listener.listen(CONNECTIONS)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _taken("port", port, host, error) from error
    return listener


def _add_port(server, settings):
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        if port := server.add_insecure_port(f"{host}:{settings.grpc_port}"):
            return port
        error = "it cannot be bound"
    except RuntimeError:
        error = "it cannot be bound"
    raise _taken("grpc-port", settings.grpc_port, settings.host, error)


def _taken(option, port, host, error):
    reason = getattr(error, "strerror", None) or error
    return InputError(f"--{option} must be free on {host}: {reason}. Received: --{option} {port}")


class _Protocol(H11Protocol):
    """HTTP that also closes connections whose request's head does not come to an end.

    And one that answers a client which closes its half once its request is sent.
    """

    HEAD_SECONDS = 30

    def connection_made(self, transport):
        super().connection_made(transport)
        self.waited = False
        self.loop.call_later(self.HEAD_SECONDS, self._close_unless_asked)

    def eof_received(self):
        if self.cycle is None or self.cycle.more_body or self.cycle.response_complete:
            return False  # the connection is closed
        self.cycle.keep_alive = False
        return True

    def _close_unless_asked(self):
        if self.transport.is_closing():
            return
        waiting = self.cycle is None or self.cycle.response_complete
        if waiting and self.waited:
            self.transport.close()
            return
        self.waited = waiting
        self.loop.call_later(self.HEAD_SECONDS, self._close_unless_asked)
