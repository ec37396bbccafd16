"""Exports of toy models, and the embedded server on them within the process of a test."""

import contextlib
import functools
import shutil
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import keras
import uvicorn

import keras_gans as kg
from keras_gans.serving.server import ModelStore, Settings
from keras_gans.serving.server.run import make_servers
from tests.contract import IMAGE_SHAPE, LATENT_DIM, toy_discriminator, toy_generator
from tests.shared_folder import shared_folder
from tests.training.toys import unchecked_exports

CHECKPOINTS = Path(__file__).parent / "earlier" / "checkpoints"
STOP_SECONDS = 1
CLASSES = ("ant", "bee", "cat")
WARMUP = shutil.ignore_patterns("tf_serving_warmup_requests")


@functools.cache
def toys(base):
    """Exports `cgan` (three named classes), `vae` (two latent dimensions) and `cyclegan`.

    Made once for all tests; do not touch. `base` is the session's folder of temporary files, that
    of all workers of `pytest -n`.
    """
    with shared_folder(base, "toys") as saved_models:
        done = saved_models.with_suffix(".done")
        if not done.exists():
            models = {"cgan": conditional_gan()}
            for name in ("vae", "cyclegan"):
                models[name] = keras.models.load_model(CHECKPOINTS / f"{name}.keras")
            with unchecked_exports():
                for name, model in models.items():
                    model.export(saved_models / name)
            shutil.copytree(saved_models, _cold(saved_models), ignore=WARMUP)
            done.touch()
    return saved_models


def cold_toys(base):
    """The same exports, as a server loads them in a tenth of the time: it runs no signature then.

    Only the first request of each takes longer.
    """
    return _cold(toys(base))


def _cold(saved_models):
    return saved_models.with_name("cold_toys")


@functools.cache
def toy_store(base):
    """Loads `cold_toys` for all servers of this process."""
    store = ModelStore(cold_toys(base))
    store.poll()
    return store


def conditional_gan():
    keras.utils.set_random_seed(0)
    latent, image = keras.Input((LATENT_DIM,)), keras.Input(IMAGE_SHAPE)
    label = keras.Input((), dtype="int32")
    inputs = keras.layers.Concatenate()([latent, keras.layers.Embedding(3, 4)(label)])
    generator = toy_generator([latent, label], inputs)
    inputs = keras.layers.Concatenate()(
        [keras.layers.Flatten()(image), keras.layers.Embedding(3, 6)(label)]
    )
    discriminator = toy_discriminator([image, label], inputs)
    # Of fresh weights all images are nearly the same gray.
    for variable in generator.trainable_variables:
        variable.assign(3.0 * keras.random.normal(variable.shape, seed=1))
    return kg.ConditionalGAN(generator, discriminator, 3, class_names=CLASSES)


@contextlib.contextmanager
def serving(saved_models, port=0):
    """Serves a folder or a `ModelStore`; yields `url`, `grpc_url`, `port`, `grpc_port`, `store`."""
    store = saved_models
    if not isinstance(store, ModelStore):
        store = ModelStore(saved_models)
        store.poll()
    rest, listener, grpc_server, grpc_port = make_servers(store, Settings(port=port, grpc_port=0))
    grpc_server.start()
    try:
        with threaded(rest, listener) as port:
            yield SimpleNamespace(
                url=f"http://127.0.0.1:{port}",
                grpc_url=f"grpc://127.0.0.1:{grpc_port}",
                port=port,
                grpc_port=grpc_port,
                store=store,
            )
    finally:
        grpc_server.stop(None).wait(STOP_SECONDS)


@contextlib.contextmanager
def running(application):
    """Runs an ASGI application in a thread; yields its port on 127.0.0.1."""
    config = uvicorn.Config(application, log_level="warning", lifespan="off")
    with threaded(uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))) as port:
        yield port


@contextlib.contextmanager
def threaded(server, listener):
    """Runs a `uvicorn.Server` in a thread; yields its port."""
    with listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
