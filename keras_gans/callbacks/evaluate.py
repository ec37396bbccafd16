"""Scores samples while training goes on, and keeps the best checkpoint beside the last."""

import json
import operator
from pathlib import Path

import keras

from keras_gans.callbacks.checkpoint import load_checkpoint
from keras_gans.errors import InputError, RunError
from keras_gans.evaluation import results
from keras_gans.files import save_atomically, write_atomically
from keras_gans.metrics import registry
from keras_gans.metrics.class_coverage import expected_classes
from keras_gans.serving.endpoints import Endpoints
from keras_gans.visualize import tensorboard


class Evaluate(keras.callbacks.Callback):
    """Every `epochs` epochs, scores samples and keeps the checkpoint with the best score.

    Scores go to TensorBoard as `evaluation/<name>`, to `metrics.json` beside the checkpoint, and
    into the epoch's logs, where callbacks behind this one find them.

    Args:
        evaluator: An `evaluation.Evaluator`, or one for translations.
        metric: The score that decides, such as `frechet`; "lower" or "higher" in
            `metrics.registry.BETTER`.
        path: The best checkpoint, ending in `.keras`; its scores go beside it as `.json`.
        epochs, last_epoch: Epochs between two evaluations; the one, from 1, always scored.
        writer: A `tf.summary` writer, or None.

    Raises:
        InputError: If `metric` is none of the evaluator's.
        RunError: If the checkpoint cannot be written.
    """

    def __init__(self, evaluator, metric, path, epochs=1, last_epoch=None, writer=None):
        super().__init__()
        if registry.BETTER.get(metric) not in ("lower", "higher"):
            raise InputError(f"no checkpoint is the best by {metric!r}: choose frechet or another")
        if registry.metric_for(metric) not in evaluator.metrics:
            raise InputError(f"{metric} is not measured, only {', '.join(evaluator.metrics)}")
        self.evaluator, self.metric, self.path = evaluator, metric, Path(path)
        self.epochs, self.last_epoch, self.writer = epochs, last_epoch, writer
        self._is_better = operator.lt if registry.BETTER[metric] == "lower" else operator.gt
        self._endpoints = None

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.epochs == 0 or epoch + 1 == self.last_epoch:
            self._endpoints = self._endpoints or Endpoints.from_model(self.model)
            scores = self.evaluator.scores(self._endpoints)
            logs.update({name: score.value for name, score in scores.items()})
            if (labels := self.evaluator.source.train.labels) is not None:
                logs["classes"] = expected_classes(labels, self.evaluator.count)
            step = self.model.steps_done
            if self.writer is not None:
                tensorboard.log_scores(self.writer, scores, step)
            model = {"checkpoint": f"epoch {epoch + 1}", "step": step}
            entry = results.make_entry(self.evaluator, scores, model)
            results.write(self.path.with_name(results.FILE), *entry)
            record = {"epoch": epoch + 1, "step": step} | self._measured(scores)
            before = self._best_before()
            if before is None or self._is_better(record["value"], before["value"]):
                save_atomically(self.model, self.path)
                self._write_notes(record)

    def _best_before(self):
        """The notes of the best checkpoint up to now; None if there is none.

        A run that goes on after a stop meets its own best again. What was measured by other
        features, as by a classifier that another machine fitted, is measured anew.
        """
        notes = results.read_best(self.path)
        if notes is None or not self.path.exists():
            return None
        name, features = self._score_name(), self.evaluator.features_fingerprint
        if (notes["metric"], notes["features"]) != (name, features):
            try:
                model = load_checkpoint(self.path)
            except InputError as error:
                cure = "delete it, and the next best one takes its place"
                raise RunError(f"{error}: {cure}") from error
            notes |= self._measured(self.evaluator.scores(Endpoints.from_model(model)))
            self._write_notes(notes)
        return notes

    def _score_name(self):
        return registry.score_name(self.metric, self.evaluator.count, self.evaluator.features.name)

    def _measured(self, scores):
        """What of a checkpoint's notes its scores decide."""
        name = self._score_name()
        return {
            "metric": name,
            "value": scores[name].value,
            "scores": registry.as_dict(scores),
            "features": self.evaluator.features_fingerprint,
        }

    def _write_notes(self, notes):
        path = self.path.with_suffix(".json")
        try:
            write_atomically(path, json.dumps(notes, indent=2))
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror or error}") from error
