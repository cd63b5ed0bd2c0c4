"""A circuit breaker: as a plain class, and every way that calls can go, walked by a check."""

from __future__ import annotations

from typing import Any

import pytest

from sim import Process, System, always, check, sometimes
from sim.consensus import CircuitBreaker


def test_it_opens_after_so_many_failures_in_a_row_and_one_probe_closes_it() -> None:
    one = CircuitBreaker(failures_max=2, pause=10)
    one = one.failed(1).succeeded().failed(2)
    assert (one.state, one.failures) == ("closed", 1)
    one = one.failed(3)
    assert (one.state, one.allows(12), one.allows(13)) == ("open", False, True)
    probing = one.called(13)
    assert (probing.state, probing.allows(100)) == ("half-open", False)
    assert probing.succeeded().state == "closed"
    again = probing.failed(14)
    assert (again.state, again.allows(23), again.allows(24)) == ("open", False, True)


def test_a_call_that_began_before_it_opened_prolongs_nothing() -> None:
    one = CircuitBreaker(failures_max=1, pause=10).failed(5)
    assert one.failed(9) == one


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match="no call may be made"):
        CircuitBreaker(failures_max=1, pause=10).failed(5).called(6)
    with pytest.raises(ValueError, match="failures_max"):
        CircuitBreaker(failures_max=0)
    with pytest.raises(TypeError, match="pause"):
        CircuitBreaker(pause=1.5)  # type: ignore[arg-type]


class Caller(Process):
    """Calls whenever it may; each call succeeds, fails or is still on its way; time goes on."""

    states = ("going",)
    must = ("wait",)
    may = ("call", "answer")
    transitions = (
        {"trigger": "wait", "source": "going", "dest": None, "conditions": "early", "after": "tick"},
        {"trigger": "call", "source": "going", "dest": None, "conditions": "allowed", "after": "begin"},
        {"trigger": "answer", "source": "going", "dest": None, "conditions": "is_calling", "after": "end"},
    )
    careful: bool
    now: int = 0
    flying: int = 0
    failures: int = 0
    opened: int = -1
    probing: bool = False
    called_open: bool = False
    probes: int = 0

    def breaker(self) -> CircuitBreaker:
        opened = None if self.opened < 0 else self.opened
        return CircuitBreaker(failures_max=2, pause=2, failures=self.failures, opened=opened, probing=self.probing)

    def become(self, one: CircuitBreaker) -> None:
        self.failures, self.opened, self.probing = one.failures, -1 if one.opened is None else one.opened, one.probing

    def early(self) -> bool:
        return self.now < 5

    def tick(self) -> None:
        self.now += 1

    def allowed(self) -> bool:
        return self.flying < 2 and (self.breaker().allows(self.now) or not self.careful)

    def is_calling(self) -> bool:
        return self.flying > 0

    def begin(self) -> None:
        one = self.breaker()
        if not one.allows(self.now):
            self.called_open = True
            return
        self.become(one.called(self.now))
        self.flying += 1
        self.probes += self.probing

    def end(self) -> None:
        self.flying -= 1
        one = self.breaker()
        self.become(one.succeeded() if self.choose(True, False) else one.failed(self.now))
        self.probes = 0 if not self.probing else self.probes


def calling(careful: bool) -> System:
    return System(
        {"caller": Caller(careful=careful)},
        properties=(
            always("nobody is called while it is open", lambda caller: not caller.called_open),
            always("one probe at a time", lambda caller: caller.probes <= 1),
            always("it is open only after failures", lambda caller: caller.opened < 0 or caller.failures > 0),
            sometimes("it opens", lambda caller: caller.opened >= 0),
            sometimes("it probes", lambda caller: caller.probing),
        ),
    )


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_every_way_that_calls_can_go(engine: Any) -> None:
    assert check(calling(careful=True), engine=engine).verdict == "ok"
    careless = check(calling(careful=False), engine=engine)
    assert careless.finding is not None
    assert careless.finding.property == "nobody is called while it is open"
