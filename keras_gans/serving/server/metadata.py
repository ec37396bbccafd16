"""What a loaded version says about its signatures."""

from tensorflow_serving.apis import get_model_metadata_pb2


def signature_map(loaded):
    """Makes the SignatureDefMap of a `LoadedVersion`, as TF Serving sends it."""
    found = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in loaded.signatures.items():
        found.signature_def[name].CopyFrom(signature)
    return found
