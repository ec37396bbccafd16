"""The embedded server: exports by TF Serving's REST routes and gRPC services, for trying things.

No batching and no scheduler: production is TF Serving's. Imported by `apps.serve` alone, since it
needs uvicorn, starlette and TensorFlow Serving's stubs.
"""

from keras_gans.serving.server.run import Settings, serve
from keras_gans.serving.server.versions import ModelStore

__all__ = ["ModelStore", "Settings", "serve"]
