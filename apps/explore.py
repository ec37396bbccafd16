"""Opens a page on which trained models can be played with: `python -m apps.explore`.

Starts a server on the exports of saved_models and the page before it, or takes a running server
with `--url`. The page asks by TF Serving's REST routes, which are handed on to that server, so that
no server has to allow other origins.
"""

import argparse
import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import urllib3
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from apps.serve import exported, read_notes
from apps.terminal import accept_any_text

PROGRAM = "python -m apps.explore"
PAGE = Path(__file__).parent / "explorer"
START_SECONDS = 120  # a cold disk and a busy machine
STOP_SECONDS = 10
ANSWER_SECONDS = 60.0
LARGEST_REQUEST = 16 * 2**20  # bytes, as the embedded server has it
HEADERS = {
    # Nothing but this page's own files, and pictures that it makes.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}


def main(arguments=None):
    """Serves the page until it is stopped; returns the exit status."""
    accept_any_text()
    options = parse(arguments)
    if options.url and not is_address(options.url):
        return refuse(f"--url must be like http://127.0.0.1:8501. Received: {options.url}")
    if not options.models and not exported(options.saved_models):
        cure = "name the server's models with --models" if options.url else "run `make train-cgan`"
        return refuse(f"no exports in {options.saved_models}: {cure} first")
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        listener = socket.create_server((options.host, options.port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        return refuse(f"cannot listen on {options.host}:{options.port}: {reason}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the server is stopped too
    try:
        with listener, server(options) as addresses:
            serve_page(options, addresses, listener)
    except KeyboardInterrupt:
        return 0
    except ServerError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1
    return 0


def parse(arguments):
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Play with trained models.")
    add = parser.add_argument
    add("--saved-models", type=Path, default=Path("saved_models"), metavar="FOLDER")
    add("--url", help="REST address of a running server, instead of starting one")
    add("--grpc", help="its gRPC address, for the code that the page shows (default: port 8500)")
    add("--models", nargs="+", default=[], metavar="NAME", help="(default: those of the folder)")
    add(
        "--host", default="127.0.0.1", help="to listen on (default: %(default)s, this machine only)"
    )
    add("--port", type=int, default=8080, help="of the page; 0: any (default: %(default)s)")
    return parser.parse_args(arguments)


def is_address(url):
    """Whether a text is the address of a server, http or https, with a host."""
    try:
        return url.startswith(("http://", "https://")) and bool(urllib3.util.parse_url(url).host)
    except urllib3.exceptions.LocationParseError:
        return False


def refuse(message):
    """Prints a user's mistake in one line; returns the exit status, 2."""
    print(f"{PROGRAM}: {message}", file=sys.stderr)
    return 2


def class_names(version):
    """The names of a version's classes in the order of labels; None where it has none."""
    try:
        return read_notes(version).get("class_names")
    except (OSError, ValueError, AttributeError):
        return None


# The server ----------------------------------------------------------------------------------


class ServerError(RuntimeError):
    """The server did not start."""


@contextlib.contextmanager
def server(options):
    """Starts a server and stops it at the end, or takes the running one.

    Yields `{"rest": ..., "grpc": ...}`.
    """
    if options.url:
        url = options.url.rstrip("/")
        yield {"rest": url, "grpc": options.grpc or f"{urllib3.util.parse_url(url).host}:8500"}
        return
    port, grpc_port = free_port(8501), free_port(8500)
    command = [
        sys.executable,
        "-m",
        "apps.serve",
        "--embedded",
        "--saved-models",
        str(options.saved_models),
    ]
    command += ["--port", str(port), "--grpc-port", str(grpc_port)]
    print("Starting the server (some seconds)", flush=True)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until_it_answers(process, port)
        yield {"rest": f"http://127.0.0.1:{port}", "grpc": f"127.0.0.1:{grpc_port}"}
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def free_port(wanted):
    """The port `wanted` if it is free, else any that is."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as probe:
            return probe.getsockname()[1]
    raise ServerError("no port is free")


def wait_until_it_answers(process, port):
    """Returns when the server's port takes connections; raises ServerError if it ends first."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise ServerError("the server did not start")


# The page ------------------------------------------------------------------------------------


def serve_page(options, addresses, listener):
    """Serves the page and hands its requests on to the server, until it is stopped."""
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    print(f"Explorer: http://{host}:{port}/  (Ctrl-C ends it)", flush=True)
    config = uvicorn.Config(application(options, addresses), log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


class _Page(StaticFiles):
    """The page's files, with what the browser may do with them."""

    def file_response(self, *args, **kwargs):
        response = super().file_response(*args, **kwargs)
        response.headers.update(HEADERS)
        return response


def application(options, addresses):
    """The page's files, `server.json`, and TF Serving's routes as a way to the server."""
    pool = urllib3.PoolManager(retries=False, timeout=ANSWER_SECONDS, maxsize=8)

    def describe(request):
        newest = exported(options.saved_models)
        names = options.models or list(newest)
        classes = {name: class_names(newest[name]) for name in names if name in newest}
        return JSONResponse({**addresses, "models": names, "class_names": classes})

    async def hand_on(request):
        if int(request.headers.get("content-length", 0)) > LARGEST_REQUEST:
            return JSONResponse({"error": "the request is too large"}, 413)
        url = addresses["rest"] + request.scope["raw_path"].decode()
        body = await request.body()
        try:
            answer = await run_in_threadpool(pool.request, request.method, url, body=body)
        except urllib3.exceptions.ReadTimeoutError:
            return JSONResponse({"error": "the server took too long"}, 504)
        except urllib3.exceptions.HTTPError:
            return JSONResponse({"error": "the server does not answer"}, 502)
        kind = answer.headers.get("content-type", "application/json")
        return Response(answer.data, answer.status, media_type=kind)

    routes = [
        Route("/server.json", describe),
        Route("/v1/{path:path}", hand_on, methods=["GET", "POST"]),
        Mount("/", _Page(directory=PAGE, html=True)),
    ]
    # Other sites' pages cannot reach in by a name of their own for this machine.
    own = ["127.0.0.1", "localhost"]
    names = own if options.host in own else ["*"]
    return Starlette(
        routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=names)]
    )


if __name__ == "__main__":
    sys.exit(main())
