"""ABA: a swap succeeds as the top of a stack is the same again, and what lies below is another."""

from __future__ import annotations

from sim import Message, Process, System, always, sometimes


class Load(Message):
    pass


class Loaded(Message):
    top: str
    below: str
    version: int


class Swap(Message):
    top: str
    version: int
    new: str


class Swapped(Message):
    pass


class Refused(Message):
    pass


class Pop(Message):
    pass


class Popped(Message):
    node: str


class Push(Message):
    node: str


class Memory(Process):
    """A linked stack a, b, c. A swap compares a version besides the top."""

    states = ("open",)
    transitions = (
        {"trigger": Load, "source": "open", "dest": None, "after": "show"},
        {"trigger": Swap, "source": "open", "dest": None, "conditions": "is_current", "after": "swap"},
        {"trigger": Swap, "source": "open", "dest": None, "after": "refuse"},
        {"trigger": Pop, "source": "open", "dest": None, "after": "pop"},
        {"trigger": Push, "source": "open", "dest": None, "after": "push"},
    )

    top: str = "a"
    version: int = 0
    links: frozenset[tuple[str, str]] = frozenset({("a", "b"), ("b", "c"), ("c", "")})

    def below(self, node: str) -> str:
        return next((low for high, low in self.links if high == node), "")

    def is_current(self, swap: Swap) -> bool:
        return (swap.top, swap.version) == (self.top, self.version)

    def show(self) -> None:
        self.send(self.sender, Loaded(self.top, self.below(self.top), self.version))

    def change(self, top: str) -> None:
        self.top = top
        self.version += 1

    def swap(self, swap: Swap) -> None:
        self.change(swap.new)
        self.send(self.sender, Swapped())

    def refuse(self) -> None:
        self.send(self.sender, Refused())

    def pop(self) -> None:
        node = self.top
        self.change(self.below(node))
        self.send(self.sender, Popped(node))

    def push(self, push: Push) -> None:
        others = {link for link in self.links if link[0] != push.node}
        self.links = frozenset({*others, (push.node, self.top)})
        self.change(push.node)


class TopOnlyMemory(Memory):
    """A swap compares the top alone."""

    def is_current(self, swap: Swap) -> bool:
        return swap.top == self.top


class Slow(Process):
    """Takes the top of the stack: looks, and then swaps what it saw for what it saw below."""

    states = ("looking", "swapping", "done")
    hot = ("looking", "swapping")
    transitions = (
        {"trigger": Loaded, "source": "looking", "dest": "swapping", "after": "swap"},
        {"trigger": Swapped, "source": "swapping", "dest": "done"},
        {"trigger": Refused, "source": "swapping", "dest": "looking", "after": "look"},
    )

    def on_start(self) -> None:
        self.look()

    def look(self) -> None:
        self.send("memory", Load())

    def swap(self, seen: Loaded) -> None:
        self.send("memory", Swap(seen.top, seen.version, seen.below))


class Quick(Process):
    """Takes two nodes, and puts the first of them back."""

    states = ("first", "second", "done")
    hot = ("first", "second")
    transitions = (
        {"trigger": Popped, "source": "first", "dest": "second", "after": ["keep", "take"]},
        {"trigger": Popped, "source": "second", "dest": "done", "after": ["keep", "give_back"]},
    )

    held: tuple[str, ...] = ()

    def on_start(self) -> None:
        self.take()

    def take(self) -> None:
        self.send("memory", Pop())

    def keep(self, popped: Popped) -> None:
        self.held = (*self.held, popped.node)

    def give_back(self) -> None:
        first, second = self.held
        self.held = (second,)
        self.send("memory", Push(first))


def system(planted: bool = True) -> System:
    return System(
        {"memory": TopOnlyMemory() if planted else Memory(), "slow": Slow(), "quick": Quick()},
        properties=(
            always("what is taken is not on the stack", lambda memory, quick: memory.top not in quick.held),
            sometimes("all is done", lambda slow, quick: slow.state == quick.state == "done"),
        ),
    )
