"""Runs of tiny models and their exports, each made once for all tests; do not touch them.

All take `base`, the session's folder of temporary files, that of all workers of `pytest -n`, and
the runs give `(folder of the run, its export)`. A test that changes one copies it with
`shutil.copytree`.
"""

from types import SimpleNamespace

import keras

from keras_gans import training
from keras_gans.recipes import RECIPES
from keras_gans.serving import Limits, export
from tests.apps.processes import write_folder, write_npz
from tests.running_server import CHECKPOINTS
from tests.shared_folder import shared_folder
from tests.training.toys import save_untrained, unchecked_exports

CLASSES = ("ant", "bee", "cat")
ADVERSARIAL = {"filters": (4,), "batch_size": 8}
CODERS = {"units": (16,), "latent_dim": 3, "batch_size": 8}


def conditional(base):
    """A cgan of gray images of 8 x 8 in three named classes."""

    def settings(folder):
        pictures = write_folder(folder / "pictures", CLASSES)
        return {"dataset": f"folder:{pictures}", "image_size": 8, **ADVERSARIAL}

    return _once(base, "cgan", settings, deviation=0.2)


def unconditional(base):
    """A dcgan of images of 8 x 8 without labels, in colour."""

    def settings(folder):
        data = write_npz(folder / "data.npz", count=24, shape=(8, 8, 3), classes=None)
        return {"dataset": f"npz:{data}", **ADVERSARIAL}

    return _once(base, "dcgan", settings, deviation=0.2)


def variational(base):
    """A vae; its data was padded where it did not fit."""

    def settings(folder):
        data = write_npz(folder / "data.npz", count=24)
        return {"dataset": f"npz:{data}", "resize": "pad", **CODERS}

    return _once(base, "vae", settings, deviation=0.5)


def plain_coder(base):
    """An autoencoder, which draws no latents."""

    def settings(folder):
        return {"dataset": f"npz:{write_npz(folder / 'data.npz', count=24)}", **CODERS}

    return _once(base, "autoencoder", settings, deviation=0.5)


def few_rows(base):
    """Gives a folder of exports with a `vae` that takes four rows in a request.

    It has a signature for each of images by seed, codes, images by code, and reconstructions.
    """
    names = ("generate_png", "generate", "decode_png", "reconstruct")
    with shared_folder(base, "few-rows") as folder:
        if not folder.exists():
            served = keras.models.load_model(CHECKPOINTS / "vae.keras").signatures()
            vae = SimpleNamespace(
                signatures=lambda: {name: served[name] for name in names},
                class_names=None,
                picture_networks=None,
            )
            with unchecked_exports():
                export.publish(vae, folder / "vae", limits=Limits(rows=4))
    return folder


def _once(base, variant, settings, deviation):
    with shared_folder(base, f"run-{variant}") as folder:
        exports = folder / "exports" / variant
        if not folder.exists():
            folder.mkdir()
            run = training.prepare(RECIPES[variant](**settings(folder)))
            directory = training.create(run, folder / "runs", "run")
            # Not trained, but of larger weights than fresh ones, whose images are nearly all gray.
            for seed, variable in enumerate(run.model.weights):
                if variable.name in ("kernel", "embeddings"):
                    variable.assign(
                        keras.random.normal(variable.shape, stddev=deviation, seed=seed)
                    )
            save_untrained(run, directory)
            with unchecked_exports():
                run.model.export(exports)
    return folder / "runs" / "run", export.latest_version(exports)
