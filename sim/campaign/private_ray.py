"""A Ray of our own: it listens on the loopback only, and runs nothing for whoever lacks its token.

Ray is told both by environment variables, which its processes inherit: it takes the loopback for the address of this
machine where it is told that there is no other, and a token is asked for since 2.52. Its folder, with its sockets,
it opens to every user of the machine, so it gets one inside of a folder of ours.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from sim.base.errors import ConfigError

VERSION_MIN = (2, 52)
"""The first version that asks for a token."""
LOOPBACK = "127.0.0.1"
_ADVICE = "start a Ray of your own and name it: ray=ADDRESS; or use --engine local"


@contextmanager
def private_ray(workers: int) -> Iterator[dict[str, Any]]:
    """What `ray.init` is called with, in here. Raises `ConfigError` if this Ray cannot be kept private."""
    installed = version("ray")
    if tuple(int(part) for part in installed.split(".")[:2]) < VERSION_MIN:
        raise ConfigError(f"--engine ray: Ray {installed} runs code for every user of this machine; use 2.52 or later")
    variables = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
    before = {name: os.environ.get(name) for name in variables}
    # in /tmp, since the path of a socket must be short
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ray-", ignore_cleanup_errors=True) as folder:
        os.environ.update(variables)
        try:
            yield {"address": "local", "num_cpus": workers, "include_dashboard": False, "_temp_dir": f"{folder}/ray"}
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def check_private(ray: Any) -> None:
    """Raises `ConfigError` if a Ray that was begun in `private_ray` is reached from elsewhere all the same."""
    found = {node["NodeManagerAddress"]: None for node in ray.nodes()}
    if [*found] != [LOOPBACK]:
        raise ConfigError(f"--engine ray: it listens on {', '.join(found)}, not only on {LOOPBACK}; {_ADVICE}")
