"""The names of `sim.host`: each is there, and loaded when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sim.host


@pytest.mark.parametrize("name", sim.host.__all__)
def test_a_name_is_where_it_is_said_to_be(name: str) -> None:
    found = getattr(sim.host, name)
    assert found.__name__ == name
    assert found.__module__ == f"sim.host.{sim.host._HOMES[name]}"


def test_a_name_that_nobody_has_is_told() -> None:
    with pytest.raises(AttributeError, match=r"module 'sim\.host' has no attribute 'Nothing'"):
        sim.host.Nothing  # noqa: B018


def test_a_host_without_agents_over_http_does_not_load_what_they_need() -> None:
    code = "import sys; from sim.host import Host, Person, ArtifactFile; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    code = code.replace("ArtifactFile;", "ArtifactFile; import httpx;")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_without_httpx_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(sim.host.AdapterError.__base__, match=r"httpx is not installed; pip install 'roundsim\[http\]'"):
        sim.host.ChatAgent("https://x.example/", model="m", prompt=str, parse=str)
