"""What runs the real server: parsed by its own protocol buffers, Kubernetes' models and bash."""

import subprocess
from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.wrappers_pb2 import DESCRIPTOR as WRAPPERS
from tensorflow_serving.config import model_server_config_pb2

from apps import serve_config
from apps.serve_config import Served

VERSION = 1795704597
ONE = Served({"cgan": VERSION})
LABELLED = Served({"cgan": VERSION}, (3,), {"stable": 3, "canary": VERSION}, batching=True)
ODD = Served({'a "b" \\ é': 1, "vae": 2}, allow_origins=True)
# Of the server's own sources, whose Python package has neither: {message: fields, as
# (name, number, type, type's name, label)} of session_bundle_config and monitoring_config.
INT64, BOOL, STRING, MESSAGE = 3, 8, 9, 11
ONCE, REPEATED = 1, 3
FILES = {
    "BatchingParameters": [
        ("max_batch_size", 1, MESSAGE, ".google.protobuf.Int64Value", ONCE),
        ("batch_timeout_micros", 2, MESSAGE, ".google.protobuf.Int64Value", ONCE),
        ("max_enqueued_batches", 3, MESSAGE, ".google.protobuf.Int64Value", ONCE),
        ("num_batch_threads", 4, MESSAGE, ".google.protobuf.Int64Value", ONCE),
        ("allowed_batch_sizes", 6, INT64, None, REPEATED),
    ],
    "PrometheusConfig": [("enable", 1, BOOL, None, ONCE), ("path", 2, STRING, None, ONCE)],
    "MonitoringConfig": [("prometheus_config", 1, MESSAGE, ".server.PrometheusConfig", ONCE)],
}


@pytest.fixture(scope="module")
def messages():
    """The two messages, by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name="server.proto", package="server", syntax="proto3"
    )
    file.dependency.append("google/protobuf/wrappers.proto")
    for name, fields in FILES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, type_name, label in fields:
            message.field.add(
                name=field, number=number, type=kind, type_name=type_name, label=label
            )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(WRAPPERS.serialized_pb)
    pool.Add(file)
    names = {name: pool.FindMessageTypeByName(f"server.{name}") for name in FILES}
    return {name: message_factory.GetMessageClass(found) for name, found in names.items()}


def parse_models(served, base="/models"):
    text = serve_config.models_config(served, base)
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    return list(config.model_config_list.config)


def test_models_are_named_with_their_folders():
    found = [(each.name, each.base_path, each.model_platform) for each in parse_models(ODD)]
    assert found == [(name, f"/models/{name}", "tensorflow") for name in ODD.models]
    (cgan,) = parse_models(ONE, "/home/me/saved_models")
    assert cgan.base_path == "/home/me/saved_models/cgan"
    assert not cgan.HasField("model_version_policy")  # the newest, always


def test_versions_and_labels_are_pinned():
    (cgan,) = parse_models(LABELLED)
    assert list(cgan.model_version_policy.specific.versions) == [3, VERSION]
    assert dict(cgan.version_labels) == {"stable": 3, "canary": VERSION}
    options = serve_config.server_options(LABELLED)
    assert "--allow_version_labels_for_unavailable_models=true" in options
    assert "--batching_parameters_file=/config/batching.config" in options
    assert LABELLED.wanted == {"cgan": (3, VERSION)}


@pytest.mark.parametrize("rows", [256, 32, 20, 1])
def test_the_last_allowed_batch_is_the_largest_and_no_more_than_an_export_takes(messages, rows):
    text = serve_config.batching_config(rows)
    batching = text_format.Parse(text, messages["BatchingParameters"]())
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == batching.max_batch_size.value == min(32, rows)


def test_metrics_are_on(messages):
    monitoring = text_format.Parse(serve_config.monitoring_config(), messages["MonitoringConfig"]())
    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path == "/monitoring/prometheus/metrics"


def test_compose_runs_the_server_on_the_files_beside_it(tmp_path):
    paths = serve_config.write_files(tmp_path / "new", LABELLED, "/home/me/saved models, $5")
    names = ["models.config", "batching.config", "monitoring.config"]
    assert [path.name for path in paths] == [*names, "docker-compose.yml", "kubernetes.yaml"]
    assert all(path.is_file() for path in paths)
    service = yaml.safe_load(paths[3].read_text())["services"]["serving"]
    assert service["command"] == serve_config.server_options(LABELLED)
    mounts = {volume["target"]: volume["source"] for volume in service["volumes"]}
    # Compose reads $$ as one; and SELinux lets a container read what is labelled so.
    assert mounts == {"/models": "/home/me/saved models, $$5", "/config": "."}
    assert all(volume["bind"] == {"selinux": "z"} for volume in service["volumes"])
    assert service["ports"] == ["8501:8501", "8500:8500"]
    assert service["healthcheck"]["test"][:3] == ["CMD", "bash", "-c"]


def test_configurations_appear_whole(tmp_path, monkeypatch):
    """A server that runs reads them again and again."""
    (tmp_path / "models.config").write_text("before")
    seen = []
    write_text = Path.write_text

    def look(path, text, **kwargs):
        write_text(path, text, **kwargs)
        seen.append((tmp_path / "models.config").read_text())

    monkeypatch.setattr(Path, "write_text", look)
    (path,) = serve_config.write(tmp_path, {"models.config": "after"})
    assert (seen, path.read_text()) == (["before"], "after")
    assert list(tmp_path.iterdir()) == [path]


def test_the_manifest_is_valid_and_carries_the_configurations(tmp_path):
    client = pytest.importorskip("kubernetes.client", reason="needs EXTRAS=test-cluster")
    paths = serve_config.write_files(tmp_path, ODD, "/saved_models")
    documents = list(yaml.safe_load_all(paths[-1].read_text(encoding="utf-8")))
    kinds = {"ConfigMap": "V1ConfigMap", "Deployment": "V1Deployment", "Service": "V1Service"}
    assert [document["kind"] for document in documents] == list(kinds)
    api = client.ApiClient()
    parsed = {}
    for document in documents:
        kind = document["kind"]
        parsed[kind] = api._ApiClient__deserialize(document, kinds[kind])
        # What the model does not know is lost on the way there and back.
        assert api.sanitize_for_serialization(parsed[kind]) == document
    assert parsed["ConfigMap"].data["models.config"] == paths[0].read_text(encoding="utf-8")
    pod = parsed["Deployment"].spec.template.spec
    assert pod.containers[0].args == serve_config.server_options(ODD)
    assert {mount.name for mount in pod.containers[0].volume_mounts} == {
        volume.name for volume in pod.volumes
    }


def probed(states, models=None, **pins):
    """Runs the probe on a server of these answers; returns whether it succeeds, and the routes."""
    server = f"""
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
for state in {states!r}:
    connection, _ = listener.accept()
    request = ""
    while not request.endswith("\\r\\n\\r\\n"):  # bash writes line by line
        request += connection.recv(1000).decode()
    print(request.removeprefix("GET ").removesuffix(" HTTP/1.0\\r\\n\\r\\n"), flush=True)
    connection.sendall(('HTTP/1.0 200 OK\\r\\n\\r\\n{{"state": "%s"}}' % state).encode())
    connection.close()
"""
    process = subprocess.Popen(["python3", "-c", server], stdout=subprocess.PIPE, text=True)
    port = int(process.stdout.readline())
    probe = serve_config.readiness(Served(models or {"cgan": VERSION}, **pins, port=port))
    done = subprocess.run(probe, check=False, capture_output=True, timeout=10)
    routes = process.communicate(timeout=10)[0].splitlines()
    return done.returncode == 0, routes


@pytest.mark.parametrize("state", ["AVAILABLE", "LOADING", "UNAVAILABLE"])
def test_the_probe_succeeds_when_the_version_is_available(state):
    """By a server of one answer; `test_rest` has the route itself."""
    available = state == "AVAILABLE"
    assert probed([state]) == (available, [f"/v1/models/cgan/versions/{VERSION}"])


def test_the_probe_fails_without_a_server():
    probe = serve_config.readiness(Served({"cgan": VERSION}, port=1))  # where nobody listens
    assert subprocess.run(probe, check=False, capture_output=True).returncode != 0


def test_the_probe_asks_for_models_of_any_name():
    names = ["my birds", "it's", "100%s", "$(id)"]
    routes = [f"/v1/models/{name}/versions/1" for name in ("my%20birds", "it%27s", "100%25s")]
    routes.append("/v1/models/%24%28id%29/versions/1")
    assert probed(["AVAILABLE"] * 4, dict.fromkeys(names, 1)) == (True, routes)


def test_the_probe_asks_for_every_pinned_version():
    routes = [f"/v1/models/cgan/versions/{number}" for number in (3, VERSION)]
    pins = {"labels": {"stable": 3, "canary": VERSION}}
    assert probed(["AVAILABLE", "AVAILABLE"], **pins) == (True, routes)
    assert probed(["LOADING"], **pins) == (False, routes[:1])
