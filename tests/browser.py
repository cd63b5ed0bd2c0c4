"""A headless Chromium, driven by the WebDriver protocol (https://www.w3.org/TR/webdriver2/) over plain HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
KEYS = {
    "ArrowUp": "\ue013",
    "ArrowDown": "\ue015",
    "ArrowLeft": "\ue012",
    "ArrowRight": "\ue014",
    "Home": "\ue011",
    "End": "\ue010",
    "PageUp": "\ue00e",
    "PageDown": "\ue00f",
    "Escape": "\ue00c",
    "Enter": "\ue007",
    "Tab": "\ue004",
}


class Page:
    """A browser's page. `messages` is what its console said since it was last asked."""

    def __init__(self, base: str, session: str) -> None:
        self._url = f"{base}/session/{session}"

    def _call(self, path: str, data: dict[str, Any] | None = None) -> Any:
        return call(f"{self._url}/{path}", data)

    def open(self, path: Path) -> None:
        self.open_at(path.absolute().as_uri())

    def open_at(self, address: str) -> None:
        self._call("url", {"url": address})

    def js(self, script: str, *arguments: object) -> Any:
        """What a script returns: `return document.title`."""
        return self._call("execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str, *arguments: object) -> Any:
        """What a script returns as soon as that is something."""
        for _ in range(200):
            if found := self.js(script, *arguments):
                return found
            time.sleep(0.05)
        raise AssertionError(f"waited in vain: {script}")

    def text(self, selector: str) -> str:
        """The text of the first element that fits, as it is in the document."""
        return str(self.js("return document.querySelector(arguments[0]).textContent", selector))

    def press(self, *keys: str) -> None:
        """Press these keys one after the other, wherever the focus is."""
        actions = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self._call("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def size(self, width: int, height: int) -> None:
        self._call("window/rect", {"width": width, "height": height})

    def prefer(self, scheme: str) -> None:
        """Light or dark, as the system's setting."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}})

    def screenshot(self, path: Path) -> None:
        path.write_bytes(b64decode(call(f"{self._url}/screenshot")))

    @property
    def messages(self) -> list[str]:
        found: list[dict[str, Any]] = self._call("se/log", {"type": "browser"})
        return [f"{entry['level']}: {entry['message']}" for entry in found]


_OPENER = build_opener(ProxyHandler({}))
"""The driver is on this machine, whatever stands between it and the rest of the world."""


def call(url: str, data: dict[str, Any] | None = None, method: str | None = None) -> Any:
    """One command of the protocol; fails with the browser's own words."""
    body = None if data is None else json.dumps(data).encode()
    request = Request(url, body, {"Content-Type": "application/json"}, method=method)
    try:
        with _OPENER.open(request, timeout=60) as answer:
            return json.load(answer)["value"]
    except HTTPError as error:
        raise AssertionError(json.load(error)["value"]["message"]) from None


@contextmanager
def browser() -> Iterator[Page]:
    """A fresh browser with an empty profile."""
    binary = next((path for name in NAMES if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        raise AssertionError(
            "no Chromium: `make unit` installs it where it can; else install chromium and its chromedriver"
        )
    profile = tempfile.mkdtemp()
    quiet = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = subprocess.Popen(
        [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=quiet
    )
    try:
        base = f"http://127.0.0.1:{_port(process)}"
        options = {"binary": binary, "args": [*FLAGS, f"--user-data-dir={profile}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = call(f"{base}/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        try:
            yield Page(base, session)
        finally:
            call(f"{base}/session/{session}", method="DELETE")
    finally:
        process.terminate()
        process.communicate(timeout=30)
        shutil.rmtree(profile, ignore_errors=True)


def _port(process: subprocess.Popen[str]) -> str:
    """The driver says where it listens."""
    assert process.stdout is not None
    for line in process.stdout:
        if "on port " in line and "successfully" in line:
            return line.rstrip().rstrip(".").rpartition(" ")[2]
    raise AssertionError("chromedriver ended before it listened")
