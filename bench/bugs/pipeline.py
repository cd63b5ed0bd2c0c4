"""Out of order: a pipeline relies on the order of its connection, which a reordering breaks."""

from __future__ import annotations

from sim import DEFER, Message, Process, System, always, sometimes


class Chunk(Message):
    number: int
    text: str


class Source(Process):
    states = ("content",)

    def on_start(self) -> None:
        for number, text in enumerate("ab"):
            self.send("sink", Chunk(number, text))


class Sink(Process):
    """Puts chunks together by their numbers; one that is early waits."""

    states = ("open",)
    transitions = (
        {"trigger": Chunk, "source": "open", "dest": None, "conditions": "is_next", "after": "append"},
        {"trigger": Chunk, "source": "open", "dest": DEFER},
    )

    text: str = ""

    def is_next(self, chunk: Chunk) -> bool:
        return chunk.number == len(self.text)

    def append(self, chunk: Chunk) -> None:
        self.text += chunk.text


class ByArrivalSink(Sink):
    """Puts chunks together as they come."""

    def is_next(self, chunk: Chunk) -> bool:
        return True


def system(planted: bool = True) -> System:
    return System(
        {"source": Source(), "sink": ByArrivalSink() if planted else Sink()},
        properties=(
            always("the text is a beginning of ab", lambda sink: "ab".startswith(sink.text)),
            sometimes("the text is whole", lambda sink: sink.text == "ab"),
        ),
        network="fifo",
        faults="reorder:1",
    )
