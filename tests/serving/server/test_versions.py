"""Versions of the embedded server: taken up, refused, named by labels, and warm."""

import json
import shutil
import time

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.serving.server.versions import STATE, LoadedVersion, ModelStore
from tests.serving.server.running import GOOD, running, seeds

pytestmark = pytest.mark.slow


def test_a_new_version_is_taken_up_and_a_damaged_one_is_not(saved_models, tmp_path):
    (number,) = (path.name for path in (saved_models / "cgan").iterdir())
    source = saved_models / "cgan" / number
    shutil.copytree(source, tmp_path / "cgan" / "5")
    with running(tmp_path) as asked:
        assert asked.predict("cgan", "generate", seeds(1))[0] == 5
        shutil.copytree(source, tmp_path / ".cgan7")
        (tmp_path / ".cgan7").rename(tmp_path / "cgan" / "7")
        asked.store.poll()
        assert asked.predict("cgan", "generate", seeds(1))[0] == 7
        shutil.copytree(source, tmp_path / "cgan" / "9")
        (tmp_path / "cgan" / "9" / "saved_model.pb").write_bytes(b"")
        asked.store.poll()
        assert asked.predict("cgan", "generate", seeds(1))[0] == 7
        _, _, answer = asked.ask("GET", "/v1/models/cgan")
        states = {e["version"]: (e["state"], e["status"]) for e in answer["model_version_status"]}
        assert states["7"][0] == "AVAILABLE"
        assert (states["9"][0], states["9"][1]["error_code"]) == ("END", "UNKNOWN")
        assert "no graph that can be served" in states["9"][1]["error_message"]
        assert states["5"][0] == "END"


def available(store, name="cgan"):
    states = store.models[name].states
    return sorted(number for number, (state, *_) in states.items() if state == STATE.AVAILABLE)


def test_the_version_before_comes_back_when_the_newest_is_removed(saved_models, tmp_path):
    (source,) = (saved_models / "cgan").iterdir()
    shutil.copytree(source, tmp_path / "cgan" / "1")
    store = ModelStore(tmp_path)
    store.poll()
    shutil.copytree(source, tmp_path / "cgan" / "2")
    store.poll()
    assert available(store) == [2]
    (tmp_path / "cgan" / "2").rename(tmp_path / "2")
    store.poll()
    assert available(store) == [1]
    (tmp_path / "2").rename(tmp_path / "cgan" / "2")
    (tmp_path / "cgan" / "2" / "saved_model.pb").write_bytes(b"")
    for _ in range(2):  # what could not be loaded is not tried again
        store.poll()
        assert available(store) == [1]


@pytest.mark.parametrize("only", [None, "cgan"])
@pytest.mark.parametrize("pinned", [(), (1,)])
def test_what_is_loaded_is_served_while_the_folder_is_away(saved_models, tmp_path, only, pinned):
    (source,) = (saved_models / "cgan").iterdir()
    folder, away = tmp_path / "exports", tmp_path / "away"
    shutil.copytree(source, folder / "cgan" / "1")
    store = ModelStore(folder, only, pinned)
    store.poll()
    loaded = store.model("cgan").find()
    folder.rename(away)
    store.poll()
    assert store.model("cgan").find() is loaded
    (away / "cgan" / "1").rename(away / "cgan" / "2")
    away.rename(folder)
    if not pinned:
        store.poll()
        assert available(store) == [2]


def test_labels_name_versions(saved_models, tmp_path):
    (number,) = (path.name for path in (saved_models / "cgan").iterdir())
    for version in ("1", "2"):
        shutil.copytree(saved_models / "cgan" / number, tmp_path / "cgan" / version)
    labels = {"stable": 1, "canary": 2}
    with running(tmp_path, "cgan", pinned=(1, 2), labels=labels) as asked:
        for label, version in labels.items():
            assert asked.predict("cgan", "generate", seeds(1), label=label)[0] == version
            path = f"/v1/models/cgan/labels/{label}"
            assert asked.ask("POST", f"{path}:predict", GOOD)[0] == 200
            assert (
                json.dumps(version)
                in asked.ask("GET", path)[2]["model_version_status"][0]["version"]
            )
        assert asked.predict("cgan", "generate", seeds(1))[0] == 2


def test_a_version_is_warm_when_it_is_available(saved_models):
    with running(saved_models, "cgan") as asked:
        times = []
        for _ in range(20):
            began = time.perf_counter()
            asked.predict("cgan", "generate_png", {**seeds(1), "truncation": np.float32([1])})
            times.append(time.perf_counter() - began)
    # Unwarmed, the first takes a hundred times as long; a busy machine makes single ones late.
    assert times[0] < 20 * np.median(times)


def test_functions_too_are_run_as_they_are(saved_models):
    """To optimize them, of every signature again, takes longer than all else of a load."""
    (path,) = (saved_models / "cgan").iterdir()
    graph = LoadedVersion(path).session.graph.as_graph_def()
    nodes = [*graph.node, *(node for each in graph.library.function for node in each.node_def)]
    calls = [node.attr["config_proto"].s for node in nodes if "config_proto" in node.attr]
    assert calls
    for config in map(tf.compat.v1.ConfigProto.FromString, calls):
        assert config.graph_options.rewrite_options.disable_meta_optimizer
