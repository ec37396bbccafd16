"""The memory that a process may take, by whatever limits it."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from keras_gans.data.memory import available_memory

ROOT = Path(__file__).parents[2]
GIB = 2**30


def write(root, **files):
    """Writes the kernel's files, `proc__meminfo` at proc/meminfo."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


MACHINE = {"proc__meminfo": f"MemTotal: 99 kB\nMemAvailable: {8 * 2**20} kB\n"}


def test_it_is_what_the_machine_has_left(tmp_path):
    write(tmp_path, **MACHINE, proc__self__cgroup="0::/user\n")
    assert available_memory(tmp_path) == 8 * GIB
    assert 2**26 < available_memory() < 2**50


def test_a_container_of_version_2_counts(tmp_path):
    write(
        tmp_path,
        **MACHINE,
        proc__self__cgroup="0::/\n",
        sys__fs__cgroup__memory_dot_max=f"{3 * GIB}\n",
        sys__fs__cgroup__memory_dot_current=f"{2 * GIB}\n",
        # Of files that were read, given back when it is needed.
        sys__fs__cgroup__memory_dot_stat=f"anon 5\ninactive_file {GIB // 2}\n",
    )
    assert available_memory(tmp_path) == 3 * GIB // 2


def test_the_narrowest_of_nested_groups_counts(tmp_path):
    write(
        tmp_path,
        **MACHINE,
        proc__self__cgroup="0::/job/step\n",
        sys__fs__cgroup__job__step__memory_dot_max="max\n",
        sys__fs__cgroup__job__step__memory_dot_current="1\n",
        sys__fs__cgroup__job__memory_dot_max=f"{GIB}\n",
        sys__fs__cgroup__job__memory_dot_current="24\n",
    )
    assert available_memory(tmp_path) == GIB - 24


@pytest.mark.parametrize("place", ["sys__fs__cgroup__memory__job", "sys__fs__cgroup__memory"])
def test_a_container_of_version_1_counts(tmp_path, place):
    """In it the path is the host's, whose files it does not see."""
    write(
        tmp_path,
        **MACHINE,
        proc__self__cgroup="9:cpu:/job\n8:memory:/job\n0::/\n",
        **{
            f"{place}__memory_dot_limit_in_bytes": f"{GIB}\n",
            f"{place}__memory_dot_usage_in_bytes": "1000\n",
            f"{place}__memory_dot_stat": "total_inactive_file 100\n",
        },
    )
    assert available_memory(tmp_path) == GIB - 900


def test_a_group_beyond_its_limit_has_nothing_left(tmp_path):
    write(
        tmp_path,
        **MACHINE,
        proc__self__cgroup="0::/\n",
        sys__fs__cgroup__memory_dot_max="100\n",
        sys__fs__cgroup__memory_dot_current="101\n",
    )
    assert available_memory(tmp_path) == 0


def test_a_limit_of_the_process_counts():
    """As batch systems set it, `ulimit -v`; what TensorFlow's threads will reserve is not free."""

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (GIB, GIB))

    # By its path: the package would bring TensorFlow, which needs more than that.
    code = f"import runpy; print(runpy.run_path({str(ROOT / 'keras_gans/data/memory.py')!r})"
    words = [sys.executable, "-c", code + "['available_memory']())"]
    done = subprocess.run(words, preexec_fn=limited, capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < GIB - 2**29
