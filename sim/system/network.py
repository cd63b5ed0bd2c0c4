"""The networks: what is in flight, how it is represented in the state, what may be delivered.

In-flight messages are integers here, the ids of envelopes; a network is a pure value of them. A system has one kind
for all links, or a kind for each (`sim.system.links`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from sim.base.values import Message, Value

Net = tuple[Any, ...]
"""What is in flight, as a hashable value whose form depends on the network."""


class Envelope(NamedTuple):
    """A message in flight, with its source and target (names of processes)."""

    source: str
    target: str
    message: Message

    def value(self) -> Value:
        return (self.source, self.target, self.message)


class Network(Protocol):
    """Pure functions on what is in flight."""

    name: str

    def empty(self) -> Net:
        """Nothing in flight."""

    def heads(self, net: Net) -> Iterable[int]:
        """The distinct envelopes that may be delivered normally."""

    def overtakers(self, net: Net) -> Iterable[int]:
        """The distinct envelopes that could be delivered only by overtaking another."""

    def distinct(self, net: Net) -> Iterable[int]:
        """The distinct envelopes in flight."""

    def every(self, net: Net) -> tuple[int, ...]:
        """All envelopes in flight, with repetitions."""

    def deliver(self, net: Net, envelope: int) -> Net:
        """What is left after a delivery."""

    def remove(self, net: Net, envelope: int) -> Net:
        """What is left after a loss."""

    def add(self, net: Net, sent: tuple[int, ...]) -> Net:
        """What is in flight after these sends, in their order."""


class AnyOrder:
    """`any`: a multiset; every message may be delivered at any time, once."""

    name = "any"

    def empty(self) -> Net:
        return ()

    def heads(self, net: Net) -> Iterable[int]:
        return dict.fromkeys(net) if len(net) > 1 else net

    def overtakers(self, net: Net) -> Iterable[int]:  # noqa: ARG002
        return ()

    distinct = heads

    def every(self, net: Net) -> tuple[int, ...]:
        return net

    def deliver(self, net: Net, envelope: int) -> Net:
        at = bisect_left(net, envelope)
        return net[:at] + net[at + 1 :]

    remove = deliver

    def add(self, net: Net, sent: tuple[int, ...]) -> Net:
        if len(sent) == 1 and (not net or net[-1] <= sent[0]):
            return net + sent
        return tuple(sorted(net + sent))


class SentForEver:
    """`set`: what was sent once stays in flight forever; delivery does not consume it, resending changes nothing."""

    name = "set"

    def empty(self) -> Net:
        return ()

    def heads(self, net: Net) -> Iterable[int]:
        return net

    def overtakers(self, net: Net) -> Iterable[int]:  # noqa: ARG002
        return ()

    distinct = heads

    def every(self, net: Net) -> tuple[int, ...]:
        return net

    def deliver(self, net: Net, envelope: int) -> Net:  # noqa: ARG002
        return net

    def remove(self, net: Net, envelope: int) -> Net:
        return tuple(e for e in net if e != envelope)

    def add(self, net: Net, sent: tuple[int, ...]) -> Net:
        fresh = [e for e in dict.fromkeys(sent) if e not in net]
        return tuple(sorted((*net, *fresh))) if fresh else net


class Fifo:
    """`fifo`: a queue for each (source, target) pair; only its head may be delivered, and a deferred
    head blocks it.

    The value is a tuple of non-empty queues, each (pair, envelopes...), sorted by pair.
    """

    name = "fifo"

    def __init__(self, pair_of: Callable[[int], int]) -> None:
        self._pair_of = pair_of

    def empty(self) -> Net:
        return ()

    def heads(self, net: Net) -> Iterable[int]:
        return [queue[1] for queue in net]

    def overtakers(self, net: Net) -> Iterable[int]:
        return [e for queue in net for e in dict.fromkeys(queue[2:]) if e != queue[1]]

    def distinct(self, net: Net) -> Iterable[int]:
        return [e for queue in net for e in dict.fromkeys(queue[1:])]

    def every(self, net: Net) -> tuple[int, ...]:
        return tuple(e for queue in net for e in queue[1:])

    def remove(self, net: Net, envelope: int) -> Net:
        pair = self._pair_of(envelope)
        queues = []
        for queue in net:
            if queue[0] == pair:
                at = queue.index(envelope, 1)
                queue = queue[:at] + queue[at + 1 :]
                if len(queue) == 1:
                    continue
            queues.append(queue)
        return tuple(queues)

    deliver = remove

    def add(self, net: Net, sent: tuple[int, ...]) -> Net:
        queues = {queue[0]: queue for queue in net}
        order = list(queues)
        for envelope in sent:
            pair = self._pair_of(envelope)
            if pair not in queues:
                insort(order, pair)
                queues[pair] = (pair,)
            queues[pair] += (envelope,)
        return tuple(queues[pair] for pair in order)


class ByLink:
    """A kind for each link; also what `latest` needs: of each class the newest message on its link, once.

    The value is one tuple of envelopes, sorted by a number: that of the envelope itself (`any`, `set`), of its link
    (`fifo`, there in the order of sending), or of its link and class (`latest`).
    """

    name = "by link"

    def __init__(self, order: Sequence[int], kind: Sequence[str]) -> None:
        self._order = order
        self._kind = kind

    def empty(self) -> Net:
        return ()

    def heads(self, net: Net) -> Iterable[int]:
        order = self._order
        return [e for i, e in enumerate(net) if i == 0 or order[e] != order[net[i - 1]]]

    def overtakers(self, net: Net) -> Iterable[int]:
        heads = {*self.heads(net)}
        return [e for e in dict.fromkeys(net) if e not in heads]

    def distinct(self, net: Net) -> Iterable[int]:
        return dict.fromkeys(net)

    def every(self, net: Net) -> tuple[int, ...]:
        return net

    def deliver(self, net: Net, envelope: int) -> Net:
        return net if self._kind[envelope] == "set" else self.remove(net, envelope)

    def remove(self, net: Net, envelope: int) -> Net:
        at = net.index(envelope)
        return net[:at] + net[at + 1 :]

    def add(self, net: Net, sent: tuple[int, ...]) -> Net:
        for envelope in sent:
            number, kind = self._order[envelope], self._kind[envelope]
            if kind == "set" and envelope in net:
                continue
            if kind == "latest":
                net = tuple(e for e in net if self._order[e] != number)
            at = bisect_right(net, number, key=self._order.__getitem__)
            net = (*net[:at], envelope, *net[at:])
        return net


NETWORKS = ("any", "fifo", "set", "latest")
"""The kinds of network."""

KIND_BITS = 2
"""How many bits the number of a kind takes."""


def make_network(kind: str | None, pair: Sequence[int], order: Sequence[int], kinds: Sequence[str]) -> Network:
    """The network of this kind, or (None) one by link; told of each envelope its link, what it is sorted by, and the
    kind of its link."""
    if kind == "fifo":
        return Fifo(pair.__getitem__)
    if kind is None:
        return ByLink(order, kinds)
    return SentForEver() if kind == "set" else AnyOrder()
