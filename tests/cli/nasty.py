"""Texts that act on a terminal or pass for another line, and a model that has one of them wherever a text can be."""

from __future__ import annotations

import unicodedata

from sim import Emission, Message, Monitor, Process, System, View, always

NASTY = (
    "harmless",
    "red\x1b[31m\x1b[2J\x1b]0;title\x07",
    "fine\nverdict     ok, as expected",
    "over\rwritten\x08\x08",
    "nul\0nul",
    "\u202edesrever\u2066\u200f",
    "line\u2028line\u2029line",
    "next\x85line\x9b31m",
    "\ufeffmarked\x7f",
    "half\ud800half",
    "tab\ttab\x0b\x0c\x1c",
)
"""The first one is there to be compared with."""

TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def acting(text: str) -> list[str]:
    """The characters of a text that act, by what Unicode says of them; a line break is none."""
    return [
        char
        for char in text
        if char != "\n"
        and (
            unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
            or unicodedata.bidirectional(char) in TURNING
            or char in "\u061c\u200e\u200f\ufeff"
        )
    ]


class Note(Message):
    text: str


class Said(Emission):
    text: str


class Listener(Monitor):
    """Complains of what is said, in these very words."""

    states = ("on",)
    transitions = ({"trigger": Said, "source": "on", "dest": None, "after": "complain"},)

    objects: bool

    def complain(self, said: Said) -> None:
        if self.objects:
            self.violate(said.text)


def system(number: int = 0, fails: str = "monitor") -> System:
    """A process that sends itself a text and says it; then the monitor objects, or the process raises, or a property
    is violated, each by a name or in words that are the text."""
    text = NASTY[number]

    class Speaker(Process):
        states = ("quiet", text)
        transitions = ({"trigger": Note, "source": "quiet", "dest": text, "after": "speak"},)

        heard: str = ""

        def on_start(self) -> None:
            self.send(self.name, Note(text))

        def speak(self, note: Note) -> None:
            self.heard = note.text
            self.emit(Said(note.text))
            if fails == "process":
                raise ValueError(note.text)

    def is_silent(speaker: View) -> bool:
        return fails != "property" or speaker.heard == ""

    return System(
        {"speaker": Speaker()},
        monitors={"listener": Listener(objects=fails == "monitor")},
        properties=(always(text.encode(errors="replace").decode(), is_silent),),  # a file names it,
    )
