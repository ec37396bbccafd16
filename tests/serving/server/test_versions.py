"""Versions of the embedded server: taken up, refused, named by labels, and warm."""

import json
import shutil
import time

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.serving.server.versions import STATE, LoadedVersion, ModelStore
from tests.serving.server.running import running, seeds

pytestmark = pytest.mark.slow

GOOD = {"instances": [[1.0, 2.0]]}


def predicted(asked, **which):
    """The number of the version that answers, as it should."""
    inputs = {"latent": np.float32([[1.0, 2.0]])}
    version, outputs = asked.predict("doubler", "serving_default", inputs, **which)
    assert outputs["image"].tolist() == [[2.0, 4.0]]
    return version


def test_a_new_version_is_taken_up_and_a_damaged_one_is_not(doubler, tmp_path):
    shutil.copytree(doubler, tmp_path / "doubler" / "5")
    with running(tmp_path) as asked:
        assert predicted(asked) == 5
        shutil.copytree(doubler, tmp_path / ".doubler7")
        (tmp_path / ".doubler7").rename(tmp_path / "doubler" / "7")
        asked.store.poll()
        assert predicted(asked) == 7
        shutil.copytree(doubler, tmp_path / "doubler" / "9")
        (tmp_path / "doubler" / "9" / "saved_model.pb").write_bytes(b"")
        asked.store.poll()
        assert predicted(asked) == 7
        _, _, answer = asked.ask("GET", "/v1/models/doubler")
        states = {e["version"]: (e["state"], e["status"]) for e in answer["model_version_status"]}
        assert states["7"][0] == "AVAILABLE"
        assert (states["9"][0], states["9"][1]["error_code"]) == ("END", "UNKNOWN")
        assert "no graph that can be served" in states["9"][1]["error_message"]
        assert states["5"][0] == "END"


def available(store, name="doubler"):
    states = store.models[name].states
    return sorted(number for number, (state, *_) in states.items() if state == STATE.AVAILABLE)


def test_the_version_before_comes_back_when_the_newest_is_removed(doubler, tmp_path):
    shutil.copytree(doubler, tmp_path / "doubler" / "1")
    store = ModelStore(tmp_path)
    store.poll()
    shutil.copytree(doubler, tmp_path / "doubler" / "2")
    store.poll()
    assert available(store) == [2]
    (tmp_path / "doubler" / "2").rename(tmp_path / "2")
    store.poll()
    assert available(store) == [1]
    (tmp_path / "2").rename(tmp_path / "doubler" / "2")
    (tmp_path / "doubler" / "2" / "saved_model.pb").write_bytes(b"")
    for _ in range(2):  # what could not be loaded is not tried again
        store.poll()
        assert available(store) == [1]


@pytest.mark.parametrize("only", [None, "doubler"])
@pytest.mark.parametrize("pinned", [(), (1,)])
def test_what_is_loaded_is_served_while_the_folder_is_away(doubler, tmp_path, only, pinned):
    folder, away = tmp_path / "exports", tmp_path / "away"
    shutil.copytree(doubler, folder / "doubler" / "1")
    store = ModelStore(folder, only, pinned)
    store.poll()
    loaded = store.model("doubler").find()
    folder.rename(away)
    store.poll()
    assert store.model("doubler").find() is loaded
    (away / "doubler" / "1").rename(away / "doubler" / "2")
    away.rename(folder)
    if not pinned:
        store.poll()
        assert available(store) == [2]


def test_labels_name_versions(doubler, tmp_path):
    for version in ("1", "2"):
        shutil.copytree(doubler, tmp_path / "doubler" / version)
    labels = {"stable": 1, "canary": 2}
    with running(tmp_path, "doubler", pinned=(1, 2), labels=labels) as asked:
        for label, version in labels.items():
            assert predicted(asked, label=label) == version
            path = f"/v1/models/doubler/labels/{label}"
            assert asked.ask("POST", f"{path}:predict", GOOD)[0] == 200
            assert (
                json.dumps(version)
                in asked.ask("GET", path)[2]["model_version_status"][0]["version"]
            )
        assert predicted(asked) == 2


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
