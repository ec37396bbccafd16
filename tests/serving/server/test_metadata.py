"""What a version says about its signatures."""

from types import SimpleNamespace

from tensorflow.core.protobuf import meta_graph_pb2

from keras_gans.serving.server.metadata import signature_map


def test_every_signature_is_in_the_map():
    signatures = {}
    for name in ("generate", "walk"):
        signatures[name] = meta_graph_pb2.SignatureDef(method_name="tensorflow/serving/predict")
        signatures[name].inputs["seed"].name = f"{name}_seed:0"
    found = signature_map(SimpleNamespace(signatures=signatures)).signature_def
    assert dict(found) == signatures
