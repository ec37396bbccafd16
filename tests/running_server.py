"""Exports of toy models, and the embedded server on them within the process of a test."""

import contextlib
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import keras
import uvicorn

import keras_gans as kg
from keras_gans.serving.server import Settings, grpc_api, rest
from keras_gans.serving.server.versions import ModelStore
from tests.contract import IMAGE_SHAPE, LATENT_DIM, toy_discriminator, toy_generator

CHECKPOINTS = Path(__file__).parent / "earlier" / "checkpoints"
CLASSES = ("ant", "bee", "cat")


def publish_cgan(saved_models, class_names=CLASSES):
    """Exports a conditional GAN of these classes; returns the version's folder."""
    classes = len(class_names)
    keras.utils.set_random_seed(0)
    latent, image = keras.Input((LATENT_DIM,)), keras.Input(IMAGE_SHAPE)
    label = keras.Input((), dtype="int32")
    inputs = keras.layers.Concatenate()([latent, keras.layers.Embedding(classes, 4)(label)])
    generator = toy_generator([latent, label], inputs)
    inputs = keras.layers.Concatenate()(
        [keras.layers.Flatten()(image), keras.layers.Embedding(classes, 6)(label)]
    )
    discriminator = toy_discriminator([image, label], inputs)
    model = kg.ConditionalGAN(generator, discriminator, classes, class_names=class_names)
    # Of fresh weights all images are nearly the same gray.
    for variable in generator.trainable_variables:
        variable.assign(3.0 * keras.random.normal(variable.shape, seed=1))
    return model.export(saved_models / "cgan")


def publish_checkpoint(saved_models, name):
    """Exports one of the small checkpoints, such as `vae` with its two latent dimensions."""
    model = keras.models.load_model(CHECKPOINTS / f"{name}.keras")
    return model.export(saved_models / name)


@contextlib.contextmanager
def serving(saved_models, port=0, grpc_port=0):
    """Serves a folder; yields `url`, `grpc_url`, `port`, `grpc_port` and the `ModelStore`."""
    store = ModelStore(saved_models)
    store.poll()
    settings = Settings()
    grpc_server = grpc_api.make_server(store, settings)
    grpc_port = grpc_server.add_insecure_port(f"127.0.0.1:{grpc_port}")
    grpc_server.start()
    with running(rest.make_app(store, settings), port) as port:
        yield SimpleNamespace(
            url=f"http://127.0.0.1:{port}",
            grpc_url=f"grpc://127.0.0.1:{grpc_port}",
            port=port,
            grpc_port=grpc_port,
            store=store,
        )
    grpc_server.stop(None).wait()


@contextlib.contextmanager
def running(application, port=0):
    """Runs an ASGI application in a thread; yields its port on 127.0.0.1."""
    config = uvicorn.Config(application, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = server.force_exit = True
        thread.join()
