"""The stages of a run as the coordinators that this one takes after have them."""

from __future__ import annotations

from dataclasses import replace

from .journal import Stage

_USUAL = ("gemini", "claude", "gpt_pro")
_GATE = ("gemini", "claude", "code")

STAGES = {
    stage.name: stage
    for stage in (
        Stage("clarify", _GATE, "gate"),
        Stage("plan", _USUAL, "sequential"),
        Stage("checklist", ("claude", "code"), "gate"),
        Stage("tasks", _USUAL, "sequential"),
        Stage("analyze", _GATE, "gate"),
        Stage("implement", ("gemini", "claude", "gpt_codex", "gpt_pro"), "sequential"),
        Stage("validate", _USUAL),
        Stage("audit", _USUAL),
        Stage("unlock", _USUAL),
    )
}
"""Name -> stage, in the order in which a run goes through them."""


GATES = {"plan": "clarify", "tasks": "checklist", "implement": "analyze"}
"""Stage -> the gate ahead of it."""


def chosen(names: tuple[str, ...], agents: int, *, gates: bool = False) -> tuple[Stage, ...]:
    """These stages, each with the first `agents` of its roster; with `gates` also the gates ahead of them."""
    ahead = {GATES[name] for name in names if gates and name in GATES}
    used = [name for name in STAGES if name in ahead or name in names]
    return tuple(replace(STAGES[name], roster=STAGES[name].roster[:agents]) for name in used)
