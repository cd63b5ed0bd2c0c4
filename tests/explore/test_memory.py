"""The memory that a walk may take: of the machine, of the control group, of `ulimit -v`; the least of them counts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sim.checker import memory
from sim.checker.memory import MIB, SHARE, default_bound, lacks_room

V2 = {
    "proc/self/cgroup": "0::/a/b\n",
    "sys/fs/cgroup/a/memory.max": f"{64 * MIB}\n",
    "sys/fs/cgroup/a/b/memory.max": "max\n",
}
V1 = {
    "proc/self/cgroup": "5:cpu:/x\n3:cpuset,memory:/a\n0::/\n",
    "sys/fs/cgroup/memory/a/memory.limit_in_bytes": f"{32 * MIB}\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2**63 - 4096}\n",
}
MOUNTED = {"proc/self/cgroup": "0::/gone/elsewhere\n", "sys/fs/cgroup/memory.max": f"{16 * MIB}\n"}
"""In a container the group's own folder is the root."""
NONE = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}


def made(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        (V2, 64 * MIB),
        (V1, 32 * MIB),
        (MOUNTED, 16 * MIB),
        (NONE, None),
        ({}, None),
        ({**V2, "sys/fs/cgroup/a/memory.max": "odd"}, None),
    ],
)
def test_the_least_limit_of_the_groups_above_counts(files: dict[str, str], limit: int | None, tmp_path: Path) -> None:
    assert memory._of_group(made(tmp_path, files)) == limit


def test_the_least_of_all_limits_is_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    for machine, group, process, least in ((9, 5, 7, 5), (9, None, 7, 7), (3, None, None, 3)):
        monkeypatch.setattr(memory, "_of_machine", lambda found=machine: found * MIB)
        monkeypatch.setattr(memory, "_of_group", lambda _, found=group: None if found is None else found * MIB)
        monkeypatch.setattr(memory, "_of_process", lambda found=process: None if found is None else found * MIB)
        assert default_bound() == int(SHARE * least * MIB)


def test_a_limit_of_addresses_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not set here: a process cannot raise it again."""
    import resource

    assert memory._of_process() is None
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**40, 2**40))
    limit = memory._of_process()
    assert limit is not None
    assert 0 < limit <= 2**40
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1, 1))
    assert memory._of_process() == pytest.approx(memory.held_bytes(), rel=0.2)


def test_a_library_is_not_loaded_where_it_may_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "numpy", raising=False)
    for free, told in ((None, ""), (memory._ROOM["numpy"], ""), (7 * MIB, "ulimit -v leaves 7 MiB, it may need 96")):
        monkeypatch.setattr(memory, "free_addresses", lambda found=free: found)
        assert lacks_room("numpy") == told
    monkeypatch.setitem(sys.modules, "numpy", memory)
    assert lacks_room("numpy") == "", "it is loaded"
