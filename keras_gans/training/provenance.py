"""Where an exported model comes from, for the card that lies in its export."""

from pathlib import Path

from keras_gans.evaluation import results
from keras_gans.training.run_folder import BEST, find_checkpoint, read_record, saved_settings


def model_card(directory, model, checkpoint=None, data_licence=None):
    """Makes the card of a run's model, as `serving.model_card.complete` takes it.

    Args:
        directory: The run's folder.
        model: The model of the checkpoint.
        checkpoint: "best", "last", or None for the best there is.
        data_licence: Text; unknown unless it is given.
    """
    directory = Path(directory)
    which = "best" if find_checkpoint(directory, checkpoint).name == BEST else "last"
    data, settings = read_record(directory)["data"], saved_settings(directory)
    shape = " x ".join(map(str, data["image_shape"]))
    card = {
        "run": directory.resolve().name,
        "checkpoint": f"{which}, after {model.steps_done} steps",
        "data": f"{settings.get('dataset')}: {data['images']} images of {shape}, fingerprint "
        f"{data['fingerprint']}",
    }
    best = results.read_best(directory / BEST)
    if best is not None and best["step"] == model.steps_done:
        card["scores"] = {name: score["value"] for name, score in best["scores"].items()}
    if data_licence:
        card["data_licence"] = data_licence
    return card
