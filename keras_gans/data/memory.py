"""How much memory this process may still take: of the machine, its container and its own limit."""

import os
from pathlib import Path

# The limit, the use and the part of the use that is given back when it is needed, of each version
# of Linux's control groups: a container's, a batch job's.
CGROUP_V2 = ("memory.max", "memory.current", "inactive_file")
CGROUP_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
# Addresses that TensorFlow's threads reserve in a training's first steps. Where none are left it
# fails in errors that say anything but that.
THREADS_ADDRESSES = 2**29


def available_memory(root="/"):
    """Bytes that can be taken now, by the narrowest limit; None where the system does not tell.

    `root` is where the file systems of the kernel are, for tests.
    """
    root = Path(root)
    found = [_free_on_machine(root), _free_of_process(root), *_free_of_groups(root)]
    return max(0, min(known)) if (known := [size for size in found if size is not None]) else None


def _free_on_machine(root):
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _free_of_process(root):
    """What `ulimit -v` leaves, of addresses: most of them need no memory, but count."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or not (pages := _lines(root / "proc/self/statm")):
        return None
    used = int(pages[0].split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return limit - used - THREADS_ADDRESSES


def _free_of_groups(root):
    """Of the control groups that this process is in, each within the one above it."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            mount, files = root / "sys/fs/cgroup", CGROUP_V2
        elif "memory" in controllers.split(","):
            mount, files = root / "sys/fs/cgroup/memory", CGROUP_V1
        else:
            continue
        # In a container the path may be the host's, and its own group is at the mount.
        group = mount / path.lstrip("/")
        for folder in (group, *group.parents):
            yield _free_of_group(folder, *files)
            if folder == mount:
                break


def _free_of_group(folder, limit, usage, reclaimable):
    numbers = [_lines(folder / name) for name in (limit, usage)]
    if not all(numbers) or not all(lines[0].isdigit() for lines in numbers):
        return None  # "max", or the group has no such file
    limit, usage = (int(lines[0]) for lines in numbers)
    parts = (line.split() for line in _lines(folder / "memory.stat"))
    return limit - usage + next((int(size) for name, size in parts if name == reclaimable), 0)


def _lines(path):
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
