"""House rules on the English of what people read: strings and docstrings of the code, prose of the pages.

Only the worst is listed. Each pattern says what to write instead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WORST = {
    r"(?<![Tt]here )\b(is|are|was|were) no (?!longer\b|more\b|better\b)\w": "it is not a ...",
    r"(?<![Tt]here )\b(is|are|was|were) none\b(?! is)": "it is not one; it is empty; `errors.unknown` for a name",
    r"\bthere is no (process|state|cut|engine|session|command|model|message type|output|property)\b": (
        "unknown engine 'x': use ...; `errors.unknown` makes it"
    ),
    r"\bbehind (?!(an?|the) (closed|open) gate|two switches|a (chain|flag|guard|switch)|it\.)": "after",
    r"(?<!-)\b(go|goes|went|going) by\b(?! git)": "use, follow, depend on",
    r"\bfor ever\b": "forever",
    r"\b(come|comes|came|coming) in(to)? force\b": "take effect",
    r"\b(mend|mends|mended|mending)\b": "fix",
    r"\bgive a whole number\b": "must be a whole number from ... to ...",
    r"\bnot [^.;:]{1,40} any ?more\b": "no longer",
    r"\bwhichever pays\b": "the faster one",
    r"\bnot to be had\b|\bby the name of\b|\bwhat is wanted\b": "not found; named; required",
}
"""What to look for -> what to write instead."""


def _texts(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every string of a module but the sentences of `violate`: those are part of a failed
    state, and so of digests."""
    tree = ast.parse(source)
    kept = {
        id(part)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "violate"
        for part in ast.walk(call)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in kept:
            yield from enumerate(_paragraphs(node.value), node.lineno)


def _paragraphs(text: str) -> list[str]:
    """Each line with the one after it, so that a pattern is found across the end of a line."""
    lines = [line.strip() for line in text.split("\n")]
    return [f"{line} {after}".strip() for line, after in zip(lines, [*lines[1:], ""], strict=True)]


def _prose(page: str) -> Iterator[tuple[int, str]]:
    """(line, text) of a page without its blocks of code and what is between backticks."""
    lines, fenced = [], False
    for line in page.split("\n"):
        fenced ^= line.startswith("```")
        lines.append("" if fenced or line.startswith(("```", "    ")) else re.sub(r"`[^`]*`", "`", line))
    return enumerate(_paragraphs("\n".join(lines)), 1)


def odd(path: str, text: str) -> list[str]:
    """The odd phrases of a file, each with its place and what to write instead."""
    texts = _texts(text) if path.endswith(".py") else _prose(text)
    return [
        f"{path}:{line}: {match[0]!r} ({said[:60]}); write: {instead}"
        for line, said in texts
        for pattern, instead in WORST.items()
        if (match := re.search(pattern, said))
    ]


def _files() -> list[str]:
    found = [*(ROOT / "sim").rglob("*.py"), *(ROOT / "models").rglob("*.py"), *(ROOT / "docs").rglob("*.md")]
    front = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    return sorted(path.relative_to(ROOT).as_posix() for path in [*found, *front])


@pytest.mark.parametrize("name", _files())
def test_a_file_has_no_odd_phrase(name: str) -> None:
    assert not odd(name, (ROOT / name).read_text("utf-8"))


@pytest.mark.parametrize(
    "planted",
    [
        "the engine 'x' is none of these",
        "'5' is no duration; write one with its unit",
        "there is no engine {name}",
        "give up behind this many states",
        "a reduced check goes by it",
        "what was sent is there for ever",
        "a cut comes in force",
        "mend the model",
        "seed: give a whole number from 0",
        "it does not fit any more",
        "the plain engine, or whichever pays",
        "such an engine is not to be had",
    ],
)
def test_an_odd_phrase_is_caught_in_code_and_on_a_page(planted: str) -> None:
    assert odd("sim/x.py", f'raise ValueError(f"{planted}")\n')
    assert odd("docs/x.md", f"# Page\n\n{planted.replace(' ', chr(10), 1)}\n")


@pytest.mark.parametrize(
    "plain",
    [
        "there is no network: nothing is sent",
        "an injection point behind a closed gate",
        "it is no longer in flight",
        "go or no-go by stated rules",
        "none is declared",
    ],
)
def test_plain_english_is_let_through(plain: str) -> None:
    assert not odd("sim/x.py", f'"""{plain}"""\n')


def test_sentences_of_monitors_and_blocks_of_code_are_left_alone() -> None:
    """A violation is part of a state and of its digest; a block shows what a program prints."""
    assert not odd("models/x.py", 'self.violate(f"ended as {x}, which is no ending")\n')
    assert not odd("docs/x.md", "```console\n$ sim run x\nit waits for ever\n```\n")
