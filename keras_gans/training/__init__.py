"""A run: made ready, kept in a folder, trained to its end, and loaded again."""

from keras_gans.callbacks.checkpoint import load_checkpoint
from keras_gans.files import check_utf8, check_writable
from keras_gans.training.beginnings import (
    begin_from,
    changes,
    copy_run,
    note_random_weights,
    remember,
)
from keras_gans.training.load import export_source, label_index, load, open_endpoints
from keras_gans.training.loop import finish, train, train_as_worker
from keras_gans.training.planning import check_memory, peak_mib, plan
from keras_gans.training.provenance import model_card
from keras_gans.training.run import check_agreement, evaluator_for, prepare, reopen, resolve
from keras_gans.training.run_folder import (
    BEST,
    CACHE,
    CHECKPOINT_HELP,
    check_name,
    check_settings,
    create,
    default_worker_run_name,
    find_checkpoint,
    is_complete,
    is_run,
    load_run,
    load_source,
    locked,
    read_record,
    saved_settings,
)
from keras_gans.training.trial import time_steps, trial_text

__all__ = [
    "BEST",
    "CACHE",
    "CHECKPOINT_HELP",
    "begin_from",
    "changes",
    "check_agreement",
    "check_memory",
    "check_name",
    "check_settings",
    "check_utf8",
    "check_writable",
    "copy_run",
    "create",
    "default_worker_run_name",
    "evaluator_for",
    "export_source",
    "find_checkpoint",
    "finish",
    "is_complete",
    "is_run",
    "label_index",
    "load",
    "load_checkpoint",
    "load_run",
    "load_source",
    "locked",
    "model_card",
    "note_random_weights",
    "open_endpoints",
    "peak_mib",
    "plan",
    "prepare",
    "read_record",
    "remember",
    "reopen",
    "resolve",
    "saved_settings",
    "time_steps",
    "train",
    "train_as_worker",
    "trial_text",
]
