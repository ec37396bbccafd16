"""Writes the files that run TensorFlow's own server: its configurations, Compose and Kubernetes.

No TensorFlow here: `apps.serve` writes them on its way to a server that takes its place.
"""

import json
import tempfile
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import yaml

IMAGE = "docker.io/tensorflow/serving"
MODELS, CONFIG = "/models", "/config"  # in the container
MODELS_ROUTE = "/v1/models"
METRICS_PATH = "/monitoring/prometheus/metrics"
LARGEST_BATCH = 32
POLL_CONFIG_SECONDS = 60  # labels that were moved in models.config take effect without a restart


@dataclass(frozen=True)
class Served:
    """What to serve: models by name, and of a single one which versions by which labels.

    Args:
        models: `{name: number of the newest version that is served}`.
        versions: Numbers that are served; none: the newest, whatever is exported later.
        labels: `{label: number}`; they are served too.
        port, grpc_port: Where.
        allow_origins: Whether pages of any origin may ask: the server knows only all or none.
        batching: Whether requests that arrive together are run together.
        rows: The fewest rows that one of the models takes in a request.
    """

    models: dict[str, int]
    versions: tuple[int, ...] = ()
    labels: dict[str, int] = field(default_factory=dict)
    port: int = 8501
    grpc_port: int = 8500
    allow_origins: bool = False
    batching: bool = False
    rows: int = LARGEST_BATCH

    @property
    def pinned(self):
        """The numbers that are served, ascending; none where it is always the newest."""
        return tuple(sorted({*self.versions, *self.labels.values()}))

    @property
    def wanted(self):
        """`{model: versions}` that must be available before the server is ready."""
        return {name: self.pinned or (newest,) for name, newest in self.models.items()}


def write_files(folder, served, saved_models):
    """Writes all files into a folder, for servers in containers; returns their paths."""
    configs = make_configs(served, MODELS)
    runners = {
        "docker-compose.yml": compose(served, saved_models),
        "kubernetes.yaml": kubernetes(served, configs),
    }
    return write(folder, {**configs, **runners})


def make_configs(served, models):
    """The server's own configurations as `{file name: text}`; it sees the folder `models`."""
    return {
        "models.config": models_config(served, models),
        "batching.config": batching_config(served.rows),
        "monitoring.config": monitoring_config(),
    }


def write(folder, files):
    """Writes `{file name: text}` into a folder; returns the paths.

    Raises ValueError if it cannot.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Each appears whole: a server that runs may read it at any time.
        with tempfile.TemporaryDirectory(dir=folder) as staged:
            for name, text in files.items():
                (Path(staged) / name).write_text(text, encoding="utf-8")
            return [(Path(staged) / name).replace(folder / name) for name in files]
    except OSError as error:
        raise ValueError(f"cannot write {folder}: {error.strerror}") from error


def server_options(served, config=CONFIG):
    """The options of tensorflow_model_server with the files in the folder `config`."""
    options = [
        f"--rest_api_port={served.port}",
        f"--port={served.grpc_port}",
        f"--model_config_file={config}/models.config",
        f"--model_config_file_poll_wait_seconds={POLL_CONFIG_SECONDS}",
        f"--monitoring_config_file={config}/monitoring.config",
    ]
    if served.labels:
        # Else a label ends the server before its version is loaded.
        options.append("--allow_version_labels_for_unavailable_models=true")
    if served.allow_origins:
        options.append("--rest_api_enable_cors_support=true")
    if served.batching:
        options += [
            "--enable_batching=true",
            f"--batching_parameters_file={config}/batching.config",
        ]
    return options


# The server's own configurations, as text of its protocol buffers --------------------------------


def models_config(served, base):
    """A ModelServerConfig of models that lie below the folder `base`."""
    lines = ["model_config_list {"]
    for name in served.models:
        lines += [
            "  config {",
            f"    name: {_text(name)}",
            f"    base_path: {_text(f'{base}/{name}')}",
            '    model_platform: "tensorflow"',
        ]
        if served.pinned:
            versions = " ".join(f"versions: {number}" for number in served.pinned)
            lines.append(f"    model_version_policy {{ specific {{ {versions} }} }}")
        for label, number in served.labels.items():
            lines.append(f"    version_labels {{ key: {_text(label)} value: {number} }}")
        lines.append("  }")
    return "\n".join([*lines, "}", ""])


def batching_config(rows):
    """BatchingParameters: batches of up to 32 rows, and no more than the exports take."""
    largest = min(LARGEST_BATCH, rows)
    sizes = [size for size in (1, 2, 4, 8, 16) if size < largest] + [largest]
    lines = [
        f"max_batch_size {{ value: {largest} }}",
        "batch_timeout_micros { value: 2000 }",
        "max_enqueued_batches { value: 100 }",
        # The last has to be the largest batch.
        *(f"allowed_batch_sizes: {size}" for size in sizes),
    ]
    return "\n".join([*lines, ""])


def monitoring_config():
    """A MonitoringConfig: metrics for Prometheus on the REST port."""
    return f"prometheus_config {{ enable: true path: {_text(METRICS_PATH)} }}\n"


def _text(value):
    return json.dumps(value, ensure_ascii=False)


# Where it runs ----------------------------------------------------------------------------------


def readiness(served):
    """A command inside the container: succeeds when every wanted version is AVAILABLE.

    The status route answers 200 whatever the state, and the image has no curl.
    """
    checks = []
    for name, numbers in served.wanted.items():
        for number in numbers:
            route = f"{MODELS_ROUTE}/{urllib.parse.quote(name, safe='')}/versions/{number}"
            checks.append(
                f"exec 3<>/dev/tcp/127.0.0.1/{served.port} && "
                f"printf 'GET %s HTTP/1.0\\r\\n\\r\\n' '{route}' >&3 && "
                "grep -q '\"AVAILABLE\"' <&3"
            )
    return ["bash", "-c", " && ".join(checks)]


def compose(served, saved_models):
    """A docker-compose.yml; it reads the configurations from the folder it lies in."""
    service = {
        "image": IMAGE,
        "init": True,
        "entrypoint": ["tensorflow_model_server"],
        "command": server_options(served),
        "ports": [f"{port}:{port}" for port in (served.port, served.grpc_port)],
        "volumes": [
            {
                "type": "bind",
                # A $ would begin a variable.
                "source": str(source).replace("$", "$$"),
                "target": target,
                "read_only": True,
                # Under SELinux a container reads what is labelled for containers alone.
                "bind": {"selinux": "z"},
            }
            for source, target in ((saved_models, MODELS), (".", CONFIG))
        ],
        "healthcheck": {
            "test": ["CMD", *readiness(served)],
            "interval": "10s",
            "timeout": "5s",
            "start_period": "60s",
        },
        "restart": "unless-stopped",
    }
    return yaml.safe_dump({"services": {"serving": service}}, sort_keys=False)


def kubernetes(served, configs):
    """A manifest: the configurations, a deployment that is ready when the versions are, a service.

    The models lie in a volume claim named saved-models.
    """
    labels = {"app": "keras-gans-serving"}
    ports = {"rest": served.port, "grpc": served.grpc_port}
    container = {
        "name": "serving",
        "image": IMAGE,
        "command": ["tensorflow_model_server"],
        "args": server_options(served),
        "ports": [{"name": name, "containerPort": port} for name, port in ports.items()],
        "readinessProbe": {
            "exec": {"command": readiness(served)},
            "periodSeconds": 5,
            "timeoutSeconds": 5,
        },
        "livenessProbe": {"tcpSocket": {"port": "grpc"}, "initialDelaySeconds": 30},
        # Requests still arrive while the pod is being taken out of the service.
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "10"]}}},
        "resources": {
            "requests": {"cpu": "1", "memory": "1Gi"},
            "limits": {"memory": "2Gi"},
        },
        "volumeMounts": [
            {"name": "models", "mountPath": MODELS, "readOnly": True},
            {"name": "config", "mountPath": CONFIG, "readOnly": True},
        ],
    }
    claim = {"claimName": "saved-models", "readOnly": True}
    pod = {
        "containers": [container],
        "terminationGracePeriodSeconds": 60,
        "volumes": [
            {"name": "models", "persistentVolumeClaim": claim},
            {"name": "config", "configMap": {"name": "keras-gans-serving"}},
        ],
    }

    def named(api_version, kind, **parts):
        metadata = {"name": "keras-gans-serving", "labels": labels}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}

    template = {"metadata": {"labels": labels}, "spec": pod}
    deployment = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    ways = [{"name": name, "port": port, "targetPort": name} for name, port in ports.items()]
    documents = [
        named("v1", "ConfigMap", data=configs),
        named("apps/v1", "Deployment", spec=deployment),
        named("v1", "Service", spec={"selector": labels, "ports": ways}),
    ]
    return yaml.safe_dump_all(documents, sort_keys=False)
