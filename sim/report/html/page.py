"""Joins the parts of a page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from sim.base.printing import json_text, printable
from sim.conform.conformance import JudgedLog
from sim.report.html.beside_check import Checked, checked_data
from sim.report.html.embedded import page_data
from sim.report.html.going_on import GoingOn, going_on_data
from sim.report.outcome import JudgedRun

SCRIPTS = ("trace.js", "log.js", "lanes.js", "panels.js", "machines.js", "graph.js", "page.js")
"""In the order in which they build on each other."""
GOING_ON, EXPLORED = "going_on.js", "explore.js"
"""The scripts of pages that are served."""


def page(outcome: JudgedRun, log: JudgedLog | None = None, checked: Checked | None = None) -> str:
    """The page of a run; with the log that it explains beside it, or the check that it comes from, if that is given."""
    more = None if checked is None else partial(checked_data, checked)
    return _joined(outcome.scenario.path, data_text(page_data(outcome, log, more)))


def page_going_on(session: GoingOn, data: str) -> str:
    """The page of a session, with its data as `data_going_on` gives them. It asks for what is new at the address that it
    came from, and nowhere else."""
    return _joined(session.title, data, GOING_ON)


def data_going_on(outcome: JudgedRun, log: JudgedLog, session: GoingOn) -> str:
    """All that the page of a session shows, as it stands in it."""
    return data_text({**page_data(outcome, log), **going_on_data(session)})


def data_explored(outcome: JudgedRun, more: Mapping[str, Any]) -> str:
    """All that the page of a walk shows; `more` says what may happen next."""
    return data_text({**page_data(outcome), **more})


def page_explored(title: str, data: str) -> str:
    """The page of a walk that is taken step by step, with its data as `data_explored` gives them. It asks for every step at the
    address that it came from, and nowhere else."""
    return _joined(title, data, EXPLORED)


def policy_explored() -> str:
    """The policy of such a page, for whoever serves it."""
    return _assets(EXPLORED)[2]


def _joined(title: str, data: str, served: str = "") -> str:
    style, script, policy = _assets(served)
    fillings = {"POLICY": policy, "TITLE": escape(printable(title)), "STYLE": style, "DATA": data, "SCRIPT": script}
    text = files(__package__).joinpath("page.html").read_text("utf-8")
    pieces = text.split("%%")  # every second piece is the name of a filling; what is filled in is not looked at again
    return "".join(piece if i % 2 == 0 else fillings[piece] for i, piece in enumerate(pieces))


def policy_going_on() -> str:
    """The policy of a page of a session that goes on, for whoever serves it."""
    return _assets(GOING_ON)[2]


def _assets(served: str) -> tuple[str, str, str]:
    """Style, script, and the policy that allows these and nothing else; `served` is the script of a page that asks for what
    is new where it came from."""
    here = files(__package__)
    style = here.joinpath("page.css").read_text("utf-8")
    scripts = (*SCRIPTS, served) if served else SCRIPTS
    parts = "\n".join(here.joinpath(name).read_text("utf-8") for name in scripts)
    script = f'"use strict";\n(() => {{\n{parts}}})();\n'
    policy = (
        "default-src 'none'",
        f"script-src '{_digest(script)}'",
        f"style-src '{_digest(style)}'",
        *(("connect-src 'self'",) if served else ()),
        "base-uri 'none'",
        "form-action 'none'",
    )
    return style, script, "; ".join(policy)


def data_text(data: object) -> str:
    """JSON in which nothing can end a script, open a comment, or end a line of JavaScript."""
    text = json_text(data, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
