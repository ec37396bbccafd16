"""The files for training on several machines, as their own tools and `apps.train` read them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf
import yaml

from apps import train
from keras_gans import __version__, distribution
from keras_gans.recipes import RECIPES

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "apps" / "cluster"
SLURM = CLUSTER / "slurm.sh"
WITHOUT = "needs the extra test-cluster: make setup EXTRAS=test-cluster"


@pytest.fixture(scope="module")
def manifests():
    """`(job, claim)` of the Kubernetes manifest."""
    return tuple(yaml.safe_load_all((CLUSTER / "kubeflow.yaml").read_text()))


def worker_of(job):
    return job["spec"]["tfReplicaSpecs"]["Worker"]


def container_of(job):
    (container,) = worker_of(job)["template"]["spec"]["containers"]
    return container


def parsed(words):
    """The options of `... python -m apps.train <variant> ...`, by its own parser."""
    assert words[words.index("-m") - 1].endswith("python")
    variant, *arguments = words[words.index("apps.train") + 1 :]
    return train.parse(RECIPES[variant], arguments)[0]


# Kubernetes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1], ids=["job", "claim"])
def test_the_operators_models_know_every_field(manifests, index):
    training = pytest.importorskip("kubeflow.training", reason=WITHOUT)
    kind = ["KubeflowOrgV1TFJob", "V1PersistentVolumeClaim"][index]
    client = training.ApiClient()
    # Reading drops what a model does not know, so that a misspelt field does not come back.
    model = client.deserialize(SimpleNamespace(data=json.dumps(manifests[index])), kind)
    assert client.sanitize_for_serialization(model) == manifests[index]


def test_the_job_is_one_that_the_operator_runs(manifests):
    job, _ = manifests
    assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v1", "TFJob")
    # The operator sets TF_CONFIG for two or more, in the container of this name.
    assert list(job["spec"]["tfReplicaSpecs"]) == ["Worker"]
    assert worker_of(job)["replicas"] == 2
    assert container_of(job)["name"] == "tensorflow"
    assert container_of(job)["image"].endswith(f":{__version__}")
    # Status 1, with which a worker ends that has lost another, is final under ExitCode.
    assert worker_of(job)["restartPolicy"] == "OnFailure"


def test_what_the_jobs_command_reads_and_writes_is_on_the_shared_volume(manifests):
    job, claim = manifests
    pod, options = worker_of(job)["template"]["spec"], parsed(container_of(job)["command"])
    assert options.strategy == "multi-worker"
    assert options.name
    (volume,) = pod["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    mounts = {mount["mountPath"]: mount for mount in container_of(job)["volumeMounts"]}
    assert {mount["name"] for mount in mounts.values()} == {volume["name"]}
    assert options.data_dir in mounts
    for folder in (options.runs_dir, options.export_dir):
        assert not mounts[str(Path(folder).parent)].get("readOnly")


def test_the_image_is_made_of_files_that_exist():
    lines = (CLUSTER / "Dockerfile").read_text().splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
    sources = {name for copy in copies for name in copy}
    assert {"apps", "keras_gans", "setup.cfg", "pyproject.toml"} <= sources
    assert [name for name in sources if not (ROOT / name).exists()] == []


# Slurm -------------------------------------------------------------------------------------------


def run_slurm_script(folder, statuses, *arguments):
    """Runs the script with an srun that ends with these statuses: `(status, calls of srun)`."""
    srun = folder / "srun"
    srun.write_text(
        '#!/bin/bash\necho "$@" >> said\nstatuses=($STATUSES)\n'
        'exit "${statuses[$(wc -l < said) - 1]}"\n'
    )
    srun.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "SLURM_CPUS_PER_TASK": "8",
        "STATUSES": " ".join(map(str, statuses)),
    }
    command = ["bash", str(SLURM), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, timeout=30, check=False)
    return done.returncode, (folder / "said").read_text().splitlines()


def test_shellcheck_finds_nothing():
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shellcheck = shutil.which("shellcheck", path=places)
    if shellcheck is None:
        pytest.skip(WITHOUT)
    done = subprocess.run([shellcheck, str(SLURM)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_slurms_options_come_before_the_first_command():
    lines = SLURM.read_text().splitlines()
    options = [number for number, line in enumerate(lines) if line.startswith("#SBATCH ")]
    commands = [number for number, line in enumerate(lines) if line and not line.startswith("#")]
    # Behind a command, sbatch takes them for comments.
    assert options[-1] < commands[0]
    assert {"#SBATCH --nodes=2", "#SBATCH --ntasks-per-node=1"} <= set(lines)
    assert {"#SBATCH --requeue", "#SBATCH --open-mode=append"} <= set(lines)


def test_srun_starts_the_workers_with_the_users_options(tmp_path, monkeypatch):
    status, (call,) = run_slurm_script(tmp_path, [0], "--epochs", "20")
    assert status == 0
    assert "--kill-on-bad-exit=1" in call.split()
    # A run of this name, below the tests' folder, would be gone on with.
    monkeypatch.chdir(tmp_path)
    options = parsed(call.split())
    assert (options.strategy, options.epochs) == ("multi-worker", 20)
    assert options.name


@pytest.mark.parametrize(
    ("statuses", "status", "calls"),
    [([1, 137, 0], 0, 3), ([2], 2, 1), ([1] * 5, 1, 5)],
    ids=["workers that die start again", "a mistake does not", "five times"],
)
def test_the_same_command_is_said_again(statuses, status, calls, tmp_path):
    ended, said = run_slurm_script(tmp_path, statuses)
    assert (ended, len(said), len(set(said))) == (status, calls, 1)


@pytest.mark.parametrize("gpus", ["0", None], ids=["a GPU each", "no GPUs"])
@pytest.mark.parametrize("hosts", [["n1", "n2"], ["n9", "n10"]], ids="-".join)
def test_slurms_tasks_are_the_workers(hosts, gpus, tmp_path, monkeypatch):
    monkeypatch.setattr(
        tf.distribute, "MultiWorkerMirroredStrategy", lambda cluster_resolver: cluster_resolver
    )
    # What srun sets for a task of two machines, and no TF_CONFIG or nvidia-smi beside.
    first, last = (host.removeprefix("n") for host in hosts)
    step = {"NUM_TASKS": "2", "NODELIST": f"n[{first}-{last}]", "TASKS_PER_NODE": "1(x2)"}
    for name, value in step.items():
        monkeypatch.setenv(f"SLURM_STEP_{name}", value)
    monkeypatch.setenv("PATH", str(tmp_path))
    for rank in range(2):
        monkeypatch.setenv("SLURM_PROCID", str(rank))
        monkeypatch.setenv("TF_CONFIG", "")
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus or "")
        if gpus is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
        resolver = distribution.make_strategy("multi-worker")
        workers = resolver.cluster_spec().as_dict()["worker"]
        # The task on machine n9 must not be told that it is n10.
        assert [address.split(":")[0] for address in workers] == hosts
        assert (resolver.task_type, resolver.task_id) == ("worker", rank)
