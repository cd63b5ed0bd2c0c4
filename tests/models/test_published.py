"""Published systems written from scratch with public names only, as somebody would who has just read
docs/models.md, and counts that do not come from the engine: a formula with its proof, or a brute force
that shares no code with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import factorial, prod
from typing import Any

import pytest

from sim import (
    DEFER,
    IGNORE,
    CheckResult,
    Emission,
    Message,
    Monitor,
    Process,
    Replay,
    System,
    always,
    check,
    eventually,
    simulate,
    sometimes,
)


def brute(start: Any, successors: Callable[[Any], Iterable[Any]]) -> tuple[int, int, int]:
    """(states, generated, depth) of a graph given by plain tuples, breadth first."""
    seen, level, generated, depth = {start}, [start], 1, 0
    while level:
        depth += 1
        fresh = []
        for state in level:
            for after in successors(state):
                generated += 1
                if after not in seen:
                    seen.add(after)
                    fresh.append(after)
        level = fresh
    return len(seen), generated, depth


def counts(result: CheckResult) -> tuple[int, int, int]:
    return result.states, result.generated, result.depth


# --- Leader election on a ring (Chang, Roberts: "An improved algorithm for decentralized extrema-finding in
# circular configurations of processes", CACM 1979) --------------------------------------------------------


class Candidate(Message):
    id: int


class Node(Process):
    """Sends its id round; passes a larger one on, swallows a smaller one, leads if its own comes back."""

    states = ("candidate", "passive", "leader")
    transitions = (
        {"trigger": Candidate, "source": ["candidate", "passive"], "dest": "passive", "conditions": "is_larger", "after": "pass_on"},
        {"trigger": Candidate, "source": "candidate", "dest": "leader", "conditions": "is_mine"},
        {"trigger": Candidate, "source": "*", "dest": IGNORE},
    )  # fmt: skip

    id: int
    next: str

    def on_start(self) -> None:
        self.send(self.next, Candidate(self.id))

    def is_larger(self, candidate: Candidate) -> bool:
        return candidate.id > self.id

    def is_mine(self, candidate: Candidate) -> bool:
        return candidate.id == self.id

    def pass_on(self, candidate: Candidate) -> None:
        self.send(self.next, candidate)


def ring(ids: tuple[int, ...], node: type[Process] = Node) -> System:
    """The nodes of these ids, each of which sends to the one behind it."""
    names = [f"n{i}" for i in ids]
    largest = names[ids.index(max(ids))]
    return System(
        {name: node(id=i, next=after) for name, i, after in zip(names, ids, names[1:] + names[:1], strict=True)},
        properties=(
            always("one leader", lambda *nodes: sum(n.state == "leader" for n in nodes) <= 1, reads=names),
            eventually("the largest leads", lambda leader: leader.state == "leader", reads=(largest,)),
        ),
    )


def hops(ids: tuple[int, ...]) -> list[int]:
    """How far the candidate of each node travels: to the first larger one, or once round."""
    n = len(ids)
    return [next((d for d in range(1, n) if ids[(i + d) % n] > ids[i]), n) for i in range(n)]


@pytest.mark.parametrize("ids", [(1, 2, 3, 4, 5), (5, 4, 3, 2, 1), (3, 1, 4, 2), (2, 5, 1, 4, 3)])
def test_a_ring_has_one_state_for_each_combination_of_where_its_candidates_are(ids: tuple[int, ...]) -> None:
    """Each candidate goes its own way of d hops, whatever the others do, and what the nodes know follows
    from where the candidates are: so prod(d + 1) states; in each of them every candidate still under
    way is one action; the longest way is the sum of all hops."""
    result = check(ring(ids))
    way = hops(ids)
    edges = sum(d * prod(other + 1 for j, other in enumerate(way) if j != i) for i, d in enumerate(way))
    assert result.verdict == "ok"
    assert counts(result) == (prod(d + 1 for d in way), 1 + edges, 1 + sum(way))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_the_best_and_the_worst_ring_have_the_published_numbers_of_messages(n: int) -> None:
    """Chang and Roberts: 2n - 1 messages at best, n(n + 1)/2 at worst; every message is one step here."""
    best, worst = check(ring(tuple(range(1, n + 1)))), check(ring(tuple(range(n, 0, -1))))
    assert (best.depth - 1, best.states) == (2 * n - 1, 2 ** (n - 1) * (n + 1))
    assert (worst.depth - 1, worst.states) == (n * (n + 1) // 2, factorial(n + 1))


class EagerNode(Node):
    """Takes any candidate that is not smaller for its own."""

    def is_mine(self, candidate: Candidate) -> bool:
        return candidate.id <= self.id


def test_a_node_that_mistakes_a_smaller_id_for_its_own_is_caught() -> None:
    result = check(ring((1, 2, 3, 4), EagerNode))
    assert result.finding is not None
    assert result.finding.property == "one leader"
    assert len(result.path) == 2  # the first two to hear from a smaller one


# --- Dining philosophers (Dijkstra: "Hierarchical ordering of sequential processes", 1971) -------------------


class Take(Message):
    pass


class Taken(Message):
    pass


class Put(Message):
    pass


class Fork(Process):
    states = ("free", "held")
    transitions = (
        {"trigger": Take, "source": "free", "dest": "held", "after": "give"},
        {"trigger": Take, "source": "held", "dest": DEFER},
        {"trigger": Put, "source": "held", "dest": "free"},
    )

    def give(self) -> None:
        self.send(self.sender, Taken())


class Philosopher(Process):
    """Takes one fork after the other, eats, puts both down."""

    states = ("thinking", "reaching", "holding", "eating")
    hot = ("reaching", "holding")
    must = ("sit", "rise")
    transitions = (
        {"trigger": "sit", "source": "thinking", "dest": "reaching", "after": "take_first"},
        {"trigger": Taken, "source": "reaching", "dest": "holding", "after": "take_second"},
        {"trigger": Taken, "source": "holding", "dest": "eating"},
        {"trigger": "rise", "source": "eating", "dest": "thinking", "after": "put"},
    )

    first: str
    second: str

    def take_first(self) -> None:
        self.send(self.first, Take())

    def take_second(self) -> None:
        self.send(self.second, Take())

    def put(self) -> None:
        self.send(self.first, Put())
        self.send(self.second, Put())


def table(n: int, left_handed: int = 0) -> System:
    """`n` philosophers, the first `left_handed` of whom take their forks the other way round."""
    forks = [f"fork{i}" for i in range(n)]
    seats = [(forks[i], forks[(i + 1) % n]) for i in range(n)]
    order = [(b, a) if i < left_handed else (a, b) for i, (a, b) in enumerate(seats)]
    philosophers = {f"phil{i}": Philosopher(first=a, second=b) for i, (a, b) in enumerate(order)}
    neighbours = [
        always(
            f"phil{i} and phil{(i + 1) % n} do not eat together",
            lambda one, other: not one.state == other.state == "eating",
            reads=(f"phil{i}", f"phil{(i + 1) % n}"),
        )
        for i in range(n)
    ]
    fed = sometimes("somebody eats", lambda phil0: phil0.state == "eating")
    return System({**philosophers, **{fork: Fork() for fork in forks}}, properties=(*neighbours, fed))


def dine(n: int, left_handed: int) -> Callable[[Any], Iterator[Any]]:
    """The same table for `brute`: a state is (philosophers, forks, messages in flight)."""
    seats = [(i, (i + 1) % n) for i in range(n)]
    seats = [(b, a) if i < left_handed else (a, b) for i, (a, b) in enumerate(seats)]

    def put(items: tuple[Any, ...], at: int, item: Any) -> tuple[Any, ...]:
        return (*items[:at], item, *items[at + 1 :])

    def successors(state: Any) -> Iterator[Any]:
        people, forks, bag = state

        def go(person: int, doing: str, *sent: Any, used: Any = None) -> Any:
            rest = [message for message in bag if message != used]
            rest += [message for message in bag if message == used][1:]
            return put(people, person, doing), forks, tuple(sorted([*rest, *sent]))

        for i, (first, second) in enumerate(seats):
            if people[i] == "thinking":
                yield go(i, "reaching", ("take", i, first))
            if people[i] == "eating":
                yield go(i, "thinking", ("put", i, first), ("put", i, second))
        for message in dict.fromkeys(bag):
            what, i, fork = message
            if what == "taken":
                _, second = seats[i]
                reaching = people[i] == "reaching"
                yield go(i, "holding", ("take", i, second), used=message) if reaching else go(i, "eating", used=message)
            elif what == "put" or not forks[fork]:
                sent = [("taken", i, fork)] if what == "take" else []
                people_, _, bag_ = go(i, people[i], *sent, used=message)
                yield people_, put(forks, fork, what == "take"), bag_

    return successors


@pytest.mark.parametrize("n", [2, 3])
def test_a_table_with_one_left_handed_philosopher_never_gets_stuck(n: int) -> None:
    result = check(table(n, left_handed=1), cycles=False)
    start = (("thinking",) * n, (False,) * n, ())
    assert result.verdict == "ok"
    assert counts(result) == brute(start, dine(n, left_handed=1))


@pytest.mark.parametrize("n", [2, 3])
def test_at_such_a_table_somebody_may_starve(n: int) -> None:
    """A fork that is free now and then need not be given to who waits for it: that takes strong fairness."""
    result = check(table(n, left_handed=1))
    assert result.finding is not None
    assert result.finding.property == "stuck"
    assert "is hot forever" in result.finding.message
    run = simulate(table(n, left_handed=1), Replay([str(action.address) for action in result.path]))
    assert run.finding == result.finding


@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_table_of_right_handed_philosophers_gets_stuck_in_three_steps_each(n: int) -> None:
    """Each sits, gets its first fork, hears of it; then every fork is held and every second request waits."""
    result = check(table(n))
    assert result.finding is not None
    assert result.finding.property == "stuck"
    assert len(result.path) == 3 * n
    run = simulate(table(n), Replay([str(action.address) for action in result.path]))
    assert run.finding == result.finding


# --- The alternating bit (Bartlett, Scantlebury, Wilkinson: "A note on reliable full-duplex transmission over
# half-duplex links", CACM 1969) ------------------------------------------------------------------------------


class Data(Message):
    mark: int
    number: int


class Ack(Message):
    mark: int


class Delivered(Emission):
    number: int


class Sender(Process):
    """Sends each number until its mark is acknowledged; after `repeats` repetitions it gives up."""

    states = ("sending", "done", "given_up")
    hot = ("sending",)
    timers = ("repeat",)
    transitions = (
        {"trigger": Ack, "source": "sending", "dest": "done", "conditions": ["is_current", "is_last"]},
        {"trigger": Ack, "source": "sending", "dest": "=", "conditions": "is_current", "before": "go_on"},
        {"trigger": Ack, "source": "*", "dest": IGNORE},
        {"trigger": "repeat", "source": "sending", "dest": "=", "conditions": "may_repeat", "before": "count"},
        {"trigger": "repeat", "source": "sending", "dest": "given_up"},
    )

    last: int
    repeats: int
    marks: int
    number: int = 1

    def on_start(self) -> None:
        self.on_enter_sending()

    def on_enter_sending(self) -> None:
        self.send("receiver", Data(self.number % self.marks, self.number))
        self.arm("repeat", 1_000)

    def on_exit_sending(self) -> None:
        self.cancel("repeat")

    def is_current(self, ack: Ack) -> bool:
        return ack.mark == self.number % self.marks

    def is_last(self) -> bool:
        return self.number == self.last

    def may_repeat(self) -> bool:
        return self.repeats > 0

    def go_on(self) -> None:
        self.number += 1

    def count(self) -> None:
        self.repeats -= 1


class Receiver(Process):
    """Takes what carries the mark that comes next; acknowledges whatever it gets."""

    states = ("open",)
    transitions = (
        {"trigger": Data, "source": "open", "dest": None, "conditions": "is_next", "after": ["take", "acknowledge"]},
        {"trigger": Data, "source": "open", "dest": None, "after": "acknowledge"},
    )

    marks: int
    taken: int = 0

    def is_next(self, data: Data) -> bool:
        return data.mark == (self.taken + 1) % self.marks

    def take(self, data: Data) -> None:
        self.taken += 1
        self.emit(Delivered(data.number))

    def acknowledge(self, data: Data) -> None:
        self.send(self.sender, Ack(data.mark))


class InOrder(Monitor):
    """Each number is delivered once, in order."""

    states = ("listening",)
    transitions = ({"trigger": Delivered, "source": "listening", "dest": None, "after": "judge"},)

    seen: int = 0

    def judge(self, delivered: Delivered) -> None:
        if delivered.number != self.seen + 1:
            self.violate(f"{delivered.number} was delivered behind {self.seen}")
        self.seen = delivered.number


def link(numbers: int, repeats: int, faults: str, marks: int = 2, network: str = "fifo") -> System:
    return System(
        {"sender": Sender(last=numbers, repeats=repeats, marks=marks), "receiver": Receiver(marks=marks)},
        network=network,
        monitors={"in_order": InOrder()},
        properties=(
            always("done is done", lambda sender, receiver: sender.state != "done" or receiver.taken == numbers),
            sometimes("all is acknowledged", lambda sender: sender.state == "done"),
            eventually("it ends", lambda sender: sender.state in ("done", "given_up")),
        ),
        faults=faults,
    )


def transmissions(numbers: int, marks: int) -> Callable[[Any], Iterator[Any]]:
    """The same link for `brute`: (number under way, 0 when done, negative when given up; repeats; taken;
    data queue; ack queue; drops left; doubles left). What the monitor saw is what was taken."""

    def successors(state: Any) -> Iterator[Any]:
        number, repeats, taken, data, acks, drops, doubles = state
        if number > 0 and repeats:
            yield number, repeats - 1, taken, (*data, number), acks, drops, doubles
        elif number > 0:
            yield -number, *state[1:]
        if data:
            head, *rest = data
            fits = head % marks == (taken + 1) % marks
            yield number, repeats, taken + fits, tuple(rest), (*acks, head % marks), drops, doubles
        if acks:
            mark, *left = acks
            state = (number, repeats, taken, data, tuple(left), drops, doubles)
            if number <= 0 or mark != number % marks:
                yield state
            elif number == numbers:
                yield 0, *state[1:]
            else:
                yield number + 1, repeats, taken, (*data, number + 1), tuple(left), drops, doubles
        for queue, other, order in ((data, acks, 1), (acks, data, -1)):
            for item in dict.fromkeys(queue):
                at = queue.index(item)
                if drops:
                    pair = ((*queue[:at], *queue[at + 1 :]), other)[::order]
                    yield number, repeats, taken, *pair, drops - 1, doubles
                if doubles:
                    pair = ((*queue, item), other)[::order]
                    yield number, repeats, taken, *pair, drops, doubles - 1

    return successors


@pytest.mark.parametrize(("numbers", "repeats", "drops"), [(1, 0, 0), (2, 1, 0), (2, 1, 1), (3, 2, 1), (4, 2, 2)])
def test_one_bit_is_enough_where_messages_are_only_lost(numbers: int, repeats: int, drops: int) -> None:
    result = check(link(numbers, repeats, f"drop:{drops}" if drops else "none"))
    assert result.verdict == "ok", result.finding
    assert counts(result) == brute((1, repeats, 0, (1,), (), drops, 0), transmissions(numbers, 2))


@pytest.mark.parametrize(("numbers", "repeats", "drops", "doubles"), [(2, 1, 0, 1), (3, 1, 1, 1), (3, 2, 0, 2)])
def test_a_mark_for_each_number_stands_duplicates_as_well(numbers: int, repeats: int, drops: int, doubles: int) -> None:
    marks = numbers + 1
    result = check(
        link(numbers, repeats, f"drop:{drops}, duplicate:{doubles}" if drops else f"duplicate:{doubles}", marks)
    )
    assert result.verdict == "ok", result.finding
    assert counts(result) == brute((1, repeats, 0, (1,), (), drops, doubles), transmissions(numbers, marks))


@pytest.mark.parametrize(("faults", "steps"), [("duplicate:1", 7), ("reorder:1", 5)])
def test_one_bit_is_not_enough_where_a_message_can_come_behind_a_later_one(faults: str, steps: int) -> None:
    """The receiver takes number 1 for number 3. Number 1 is repeated in vain and acknowledged (3 steps), and
    number 2 overtakes the repetition (2 more). A duplicate joins the tail of its queue, behind number 2:
    doubling it and delivering the original, in vain, take the place of overtaking (2 steps more)."""
    result = check(link(3, 1, faults))
    assert result.finding is not None
    assert result.finding == ("in_order", "1 was delivered behind 2")
    assert len(result.path) == steps


def test_one_bit_is_not_enough_on_a_network_without_order() -> None:
    result = check(link(3, 1, "none", network="any"))
    assert result.finding is not None
    assert result.finding.property == "in_order"
    assert "1 was delivered behind 2" in result.finding.message


def test_a_link_that_loses_all_it_likes_never_delivers() -> None:
    """With `eventually: all is delivered` in place of the modest claim."""
    sane = link(1, 1, "drop:unlimited")
    claim = eventually("it is delivered", lambda receiver: receiver.taken == 1)
    finding = check(sane.with_(properties=(claim,))).finding
    assert finding is not None
    assert finding.property == "it is delivered"
