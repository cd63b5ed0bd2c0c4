"""What every status says first, whatever it is of, in one order: where it stands, what it cost, what is wasted, what is
wrong, what next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sim.base.folded import folded
from sim.base.marked import Meaning, marked

NOTHING = "nothing"
WORD_WIDTH = 12
"""Characters of the word in front of each line, as in the summary of a run."""


@dataclass(frozen=True)
class Standing:
    """The answers to the five questions, and what it is of."""

    title: str
    stands: str
    cost: str
    wasted: str = NOTHING
    wrong: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    """What to do, each with the command for it; empty if it is over and done with."""

    def lines(self, width: int | None = None) -> Iterator[str]:
        """For people, in lines of at most `width` characters; but commands, which are to be copied, are not folded."""
        yield from folded(marked((self.title, Meaning.WHO)), width, 2)
        yield ""
        for word, text in (("stands", self.stands), ("cost", self.cost), ("wasted", self.wasted)):
            yield from folded(f"{word:<{WORD_WIDTH}}{text}", width, WORD_WIDTH)
        if not self.wrong:
            yield marked(f"{'wrong':<{WORD_WIDTH}}", (NOTHING, Meaning.GOOD))
        for one in self.wrong:
            yield from folded(marked((f"{'wrong':<{WORD_WIDTH}}", Meaning.BAD), one), width, WORD_WIDTH)
        for one in self.next or (NOTHING,):
            yield f"{'next':<{WORD_WIDTH}}{one}"

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "wrong": list(self.wrong), "next": list(self.next)}
