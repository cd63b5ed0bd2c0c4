"""An engine that we start ourselves is reached from this machine only, and only by who has its secret."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from sim.base.errors import ConfigError
from sim.campaign import engines, private_ray
from tests.campaign.toys import environment

LISTENING = '''
import json, os, re, socket, subprocess, sys
from pathlib import Path

from sim.campaign.engines import started

LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")


def family():
    """This process and all that come of it."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [os.getpid()]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def listening():
    """The addresses, as the system has them, on which the family listens."""
    ours = {}
    for process in family():
        for link in Path("/proc").glob(f"{process}/fd/*"):
            try:
                ours[os.readlink(link)] = None
            except OSError:  # it is closed by now
                continue
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return [row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in ours]


def elsewhere():
    return [address for address in listening() if address not in LOOPBACK]
'''

DASK = '''
def enters(address, security):
    import distributed
    try:
        distributed.Client(address, security=security, timeout=2, set_as_default=False).close()
    except (OSError, TypeError, ValueError):
        return False
    return True


def visitors():
    """Strangers without and with a certificate, and somebody with ours."""
    from distributed import Security, default_client
    address, ours = default_client().scheduler.address, default_client().security
    strangers = [enters(address.replace("tls", "tcp"), None), enters(address, Security.temporary())]
    return strangers, enters(address, ours)
'''

RAY = '''
def enters(address, **token):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    code = f"from ray._raylet import GcsClient; GcsClient(address={address!r}).internal_kv_keys(b'', None, 5)"
    done = subprocess.run([sys.executable, "-c", code], env={**clean, **token}, capture_output=True)
    return done.returncode == 0


def visitors():
    """Strangers without and with a token, and somebody with ours."""
    import ray
    from sim.campaign.private_ray import check_private
    address = ray.get_runtime_context().gcs_address
    strangers = [enters(address), enters(address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="00" * 32)]
    return strangers, enters(address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=os.environ["RAY_AUTH_TOKEN"])
'''

MAIN = """
if __name__ == "__main__":
    with started(sys.argv[1], 1):
        strangers, friend = visitors()
        told = {"count": len(listening()), "elsewhere": elsewhere(), "strangers": strangers, "friend": friend}
        with socket.create_server(("0.0.0.0", 0)):
            told["planted"] = elsewhere()
    print(json.dumps(told))
"""


@pytest.mark.cluster
@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_an_engine_of_our_own_is_private(engine: str, tmp_path: Path) -> None:
    """Whether a look finds what is open, and a visit gets in where it may, is asked in the same run."""
    pytest.importorskip({"dask": "distributed"}.get(engine, engine))
    (tmp_path / "look.py").write_text(LISTENING + {"dask": DASK, "ray": RAY}[engine] + MAIN)
    done = subprocess.run(
        [sys.executable, "look.py", engine],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["elsewhere"], told["strangers"]) == ([], [False, False])
    assert (told["count"] > 2, told["planted"], told["friend"]) == (True, ["00000000"], True)


def lacking(name: str) -> Callable[[str], ModuleSpec | None]:
    real = importlib.util.find_spec
    return lambda asked: None if asked == name else real(asked)


def test_a_dask_of_our_own_needs_certificates_and_that_of_others_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lacking("cryptography"))
    with pytest.raises(
        ConfigError, match=r"--engine dask: cryptography is not installed; pip install 'roundsim\[dask\]'"
    ):
        engines.read_spec("dask")
    assert engines.read_spec("dask=tcp://a:1") == ("dask", "tcp://a:1")


@pytest.mark.parametrize("installed", ["2.40.0", "1.99"])
def test_a_ray_that_asks_for_no_token_is_refused(installed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_ray, "version", lambda _name: installed)
    refused = pytest.raises(ConfigError, match=r"runs code for every user of this machine; use 2\.52 or later")
    with refused, private_ray.private_ray(1):
        raise AssertionError


def test_a_ray_that_listens_elsewhere_is_refused() -> None:
    class Ray:
        addresses = ("127.0.0.1",)

        def nodes(self) -> list[dict[str, str]]:
            return [{"NodeManagerAddress": address} for address in self.addresses]

    ray = Ray()
    private_ray.check_private(ray)
    ray.addresses = ("192.0.2.7",)
    with pytest.raises(
        ConfigError, match=r"it listens on 192\.0\.2\.7, not only on 127\.0\.0\.1; start a Ray of your own"
    ):
        private_ray.check_private(ray)


def test_what_ray_is_told_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"RAY_AUTH_TOKEN": "mine"}
    monkeypatch.setattr(private_ray.os, "environ", environ)
    monkeypatch.setattr(private_ray, "version", lambda _name: "2.52.0")
    seen = []
    for _ in range(2):
        with private_ray.private_ray(1) as given:
            seen.append(environ["RAY_AUTH_TOKEN"])
            folder = Path(given["_temp_dir"]).parent
            assert (folder.stat().st_mode & 0o777, environ["RAY_AUTH_MODE"]) == (0o700, "token")
        assert (environ, folder.exists()) == ({"RAY_AUTH_TOKEN": "mine"}, False)
    assert len({*seen, "mine"}) == 3, "each has a token of its own"
