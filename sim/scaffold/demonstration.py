"""The story that `sim demo` tells: a coordinator with a race, and its fix."""

from __future__ import annotations

from importlib.resources import files

NAME = "council"
"""The model's module."""
WRONG = '        {"trigger": Answer, "source": "*", "dest": "decided", "after": "count"},\n'
FIXED = (
    '        {"trigger": Answer, "source": ["asking", "retrying"], "dest": "decided", "after": "count"},\n'
    '        {"trigger": Answer, "source": "decided", "dest": IGNORE},  # to the other attempt\n'
)


def council(*, fixed: bool = False) -> str:
    """The source of the model."""
    text = files(__package__).joinpath("demo/council.py.txt").read_text("utf-8")
    return text.replace(WRONG, FIXED) if fixed else text


def coordinator() -> str:
    """The part of it that has the race."""
    text = council()
    return text[text.index("class Coordinator") : text.index("class Agent")].rstrip()
