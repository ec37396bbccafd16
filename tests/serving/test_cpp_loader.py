"""Exports run by TensorFlow's C++ loader, in a process without TensorFlow's Python."""

import io
import threading
from pathlib import Path

import numpy as np
import pytest
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from keras_gans.serving import cpp_loader, export
from keras_gans.serving.cpp_loader import RefusedError, run_signatures

EXPORTS = Path(__file__).parents[1] / "earlier" / "exports"
VERSION = export.latest_version(EXPORTS / "dcgan")
SEEDS = {"seed": np.int32([3, -1])}


@pytest.mark.slow
def test_each_request_has_its_outputs_or_its_refusal():
    expected = export.load(VERSION).signatures["generate"](**SEEDS)
    wrong = {"latent": np.float32([[0.0] * 3])}
    requests = [
        ("generate", SEEDS),
        ("serving_default", wrong),
        ("generate", {"x": SEEDS["seed"]}),
        ("none", {}),
        ("generate", SEEDS),
    ]
    first, refused, misnamed, unknown, last = run_signatures(VERSION, requests)
    np.testing.assert_allclose(first["image"], expected["image"], atol=1e-6)
    assert first["image_bytes"].tolist() == expected["image_bytes"].numpy().tolist()
    np.testing.assert_array_equal(first["image"], last["image"])
    for outcome, words in ((misnamed, "['x'] where ['seed']"), (unknown, "no signature none")):
        assert isinstance(outcome, RefusedError)
        assert words in str(outcome)
    assert isinstance(refused, RefusedError)


@pytest.mark.slow
def test_what_is_no_export_is_refused_and_the_next_one_is_run(tmp_path):
    with pytest.raises(RefusedError, match=r"(?i)could not find|no such file"):
        run_signatures(tmp_path, [("generate", SEEDS)])
    (outputs,) = run_signatures(VERSION, [("generate", SEEDS)])
    assert set(outputs) == {"image", "image_bytes"}


@pytest.mark.slow
def test_threads_that_ask_at_once_have_their_own_outcomes(tmp_path):
    run_signatures(VERSION, [])
    together, wrong = threading.Barrier(2), []

    def ask(place, good):
        together.wait()
        for _ in range(20):
            try:
                run_signatures(place, [])
            except RefusedError:
                if good:
                    wrong.append(place)
            else:
                if not good:
                    wrong.append(place)

    asked = [(VERSION, True), (tmp_path, False)]
    threads = [threading.Thread(target=ask, args=each) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


def test_arrays_go_through_files_as_they_are():
    arrays = {
        "seed": np.int32([1, 2]),
        "image": np.float32(np.ones((2, 1, 1, 1))),
        "image_bytes": np.array([b"a\0", b""], object),
        "names": np.array([[b"x", b"y"]], object),
        "none": np.zeros(0, object),
    }
    file = io.BytesIO()
    cpp_loader._save(file, arrays)
    file.seek(0)
    found = cpp_loader._load(file)
    assert found.keys() == arrays.keys()
    for key, array in arrays.items():
        assert (found[key].dtype, found[key].tolist()) == (array.dtype, array.tolist())


def test_signatures_are_read_from_the_wire_as_protocol_buffers_have_them():
    meta_graph = meta_graph_pb2.MetaGraphDef()
    graph = saved_model_pb2.SavedModel.FromString((VERSION / "saved_model.pb").read_bytes())
    meta_graph.CopyFrom(graph.meta_graphs[0])
    found = cpp_loader.read_signatures(meta_graph.SerializeToString())
    expected = {
        name: (
            {key: tensor.name for key, tensor in signature.inputs.items()},
            {key: tensor.name for key, tensor in signature.outputs.items()},
        )
        for name, signature in meta_graph.signature_def.items()
        if not name.startswith("__")
    }
    assert found == expected
    assert "generate" in found
