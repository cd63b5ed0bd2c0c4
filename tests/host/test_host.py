"""What a host does with its machines: small systems, hosted in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sim import DEFER, Applied, ConfigError, EffectLedger, Emission, Message, Monitor, Process, System
from sim.host import AdapterError, BeyondTable, Host, Reply
from sim.host.host_log import LogFile, faults_of, line_words, log_text
from sim.host.journal import open_journal
from sim.host.journal_records import Line
from sim.host.step import Step


class Ping(Message):
    n: int


class Pong(Message):
    n: int


class Noted(Emission):
    n: int


class Pinger(Process):
    states = ("idle", "waiting", "done")
    hot = ("waiting",)
    must = ("begin",)
    durable = ("sent",)
    transitions = (
        {"trigger": "begin", "source": "idle", "dest": "done", "conditions": "is_over"},
        {"trigger": "begin", "source": "idle", "dest": "waiting", "after": "ping"},
        {"trigger": Pong, "source": "waiting", "dest": "done", "conditions": "is_last"},
        {"trigger": Pong, "source": "waiting", "dest": None, "conditions": "fits", "after": "ping"},
        {"trigger": Pong, "source": ["waiting", "done"], "dest": None},
        {"trigger": Pong, "source": "idle", "dest": DEFER},
    )
    rounds: int = 3
    sent: int = 0
    lost: int = 0

    def is_over(self) -> bool:
        return self.sent > self.rounds

    def ping(self) -> None:
        self.lost += 1
        self.sent += 1
        self.send("ponger", Ping(self.sent))

    def fits(self, pong: Pong) -> bool:
        return pong.n == self.sent

    def is_last(self, pong: Pong) -> bool:
        return pong.n == self.sent == self.rounds


class Ponger(Process):
    states = ("up",)
    transitions = ({"trigger": Ping, "source": "up", "dest": None, "after": "pong"},)

    def pong(self, ping: Ping) -> None:
        self.emit(Noted(ping.n))
        self.send(self.sender, Pong(ping.n))


def pings(rounds: int = 3) -> System:
    return System(processes={"pinger": Pinger(rounds=rounds), "ponger": Ponger()})


def run(work: Callable[[], Awaitable[Any]], seconds: float = 10) -> Any:
    async def bounded() -> Any:
        return await asyncio.wait_for(work(), seconds)

    return asyncio.run(bounded())


def lines_of(path: Path, session: str = "s") -> list[str]:
    with open_journal(str(path), fresh=False) as journal:
        return [line_words(line).partition(" ")[2] for line in journal.trace(session) if "input" in line.said]


async def to_its_end(host: Host, session: str = "s", **config: Any) -> str:
    async with host:
        if session not in host.sessions():
            await host.start(session, **config)
        return await host.until_over(session)


def test_a_session_runs_to_its_rest_and_every_input_is_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    assert run(lambda: to_its_end(Host(pings, journal=path), rounds=1)) == "over"
    assert lines_of(path) == [
        "pinger: start -> idle",
        "ponger: start -> up",
        "pinger: move begin -> waiting; Ping to ponger",
        "ponger: Ping(n=1) from pinger -> up; Noted, Pong to pinger",
        "pinger: Pong(n=1) from ponger -> done",
    ]


def test_what_was_over_is_not_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    run(lambda: to_its_end(Host(pings, journal=path)))

    async def again() -> None:
        async with Host(pings, journal=path) as host:
            assert host.sessions() == {"s": "over"}
            with pytest.raises(ConfigError, match="there is one of this name"):
                await host.start("s")

    run(again)


def test_after_a_stop_a_machine_goes_on_as_the_model_s_restart_does(tmp_path: Path) -> None:
    path = tmp_path / "j.db"

    async def begin() -> None:
        async with Host(pings, journal=path) as host:
            await host.start("s", rounds=50)
            while host.running["s"].locals["pinger"].fields[1] < 5:
                await asyncio.sleep(0)

    run(begin)
    with open_journal(str(path), fresh=False) as journal:
        down = journal.machines("s")["pinger"]
    assert (down.state, down.fields["lost"], down.fields["sent"] >= 5) == ("(down)", 0, True)

    async def go_on() -> dict[str, Any]:
        async with Host(pings, journal=path) as host:
            session = host.running["s"]
            return {name: local.fields for name, local in session.locals.items()}

    fields = run(go_on)
    assert fields["pinger"] == (50, down.fields["sent"], 0)
    told = lines_of(path)
    at = told.index("pinger: crash")
    assert told[at : at + 4] == ["pinger: crash", "ponger: crash", "pinger: restart -> idle", "ponger: restart -> up"]


def test_the_log_conforms_with_the_faults_that_struck(tmp_path: Path) -> None:
    from sim.conform.conformance import Judging
    from sim.conform.logged import read_logs

    path, log = tmp_path / "j.db", tmp_path / "log.jsonl"

    async def begin() -> None:
        async with Host(pings, journal=path) as host:
            await host.start("s", rounds=3)
            await asyncio.sleep(0)

    run(begin)
    run(lambda: to_its_end(Host(pings, journal=path)))
    with open_journal(str(path), fresh=False) as journal:
        log.write_text("".join(log_text(journal, "s")))
        faults = faults_of(journal.trace("s"))
    assert faults == "crash:1@pinger,crash:1@ponger"
    (logged,) = read_logs([str(log)]).runs.values()
    assert Judging(pings(3).with_(faults=faults)).judge(logged).verdict == "ok"
    assert Judging(pings(3)).judge(logged).verdict == "violated"
    spoiled = log.read_text().replace('"n":2', '"n":1')
    log.write_text(spoiled)
    (logged,) = read_logs([str(log)]).runs.values()
    assert Judging(pings(3).with_(faults=faults)).judge(logged).verdict == "violated"


class Chooser(Process):
    states = ("up", "left", "right")
    must = ("go",)
    transitions = (
        {"trigger": "go", "source": "up", "dest": "left", "conditions": "is_left"},
        {"trigger": "go", "source": "up", "dest": None, "conditions": "is_open", "after": "pick"},
    )
    picked: str = ""

    def is_left(self) -> bool:
        return self.picked == "left"

    def is_open(self) -> bool:
        return not self.picked

    def pick(self) -> None:
        self.picked = self.choose("left", "right")


def test_a_machine_that_chooses_is_refused_unless_somebody_decides(tmp_path: Path) -> None:
    system = System(processes={"chooser": Chooser()})
    with pytest.raises(ConfigError, match="Chooser chooses, and nobody says what"):
        Host(system, journal=tmp_path / "j.db")
    assert not (tmp_path / "j.db").exists()
    host = Host(system, journal=tmp_path / "j.db", decide={"chooser": lambda outcomes: outcomes[0]})
    assert run(lambda: to_its_end(host)) == "over"
    assert lines_of(tmp_path / "j.db")[-1] == "chooser: move go -> left"


def test_who_decides_gives_one_of_the_outcomes(tmp_path: Path) -> None:
    system = System(processes={"chooser": Chooser()})
    host = Host(system, journal=tmp_path / "j.db", decide={"chooser": lambda outcomes: "up"})
    with pytest.raises(Exception, match="decide of chooser gave up; expected one of left or right"):
        run(lambda: to_its_end(host))


class Door(Process):
    states = ("shut", "open")
    may = ("unlock",)
    transitions = (
        {"trigger": "unlock", "source": "shut", "dest": "open"},
        {"trigger": Ping, "source": "shut", "dest": DEFER},
        {"trigger": Ping, "source": "open", "dest": None},
    )


class Visitor(Process):
    states = ("up",)

    def on_start(self) -> None:
        self.send("door", Ping(1))
        self.send("door", Ping(2))


def test_a_deferred_message_is_kept_and_a_may_move_is_made_from_outside(tmp_path: Path) -> None:
    system = System(processes={"door": Door(), "visitor": Visitor()}, network="fifo")
    path = tmp_path / "j.db"

    async def begin() -> None:
        async with Host(system, journal=path) as host:
            await host.start("s")
            await asyncio.sleep(0.01)
            assert [len(host.running["s"].waiting["door"]), host.sessions()["s"]] == [2, "open"]
            with pytest.raises(ConfigError, match=r"unknown move 'unlok'.*unlock"):
                host.move("s", "door", "unlok")

    async def go_on() -> str:
        async with Host(system, journal=path) as host:
            assert host.move("s", "door", "unlock")
            return await host.until_over("s")

    run(begin)
    assert run(go_on) == "over"
    assert lines_of(path)[-3:] == [
        "door: move unlock -> open",
        "door: Ping(n=1) from visitor -> open",
        "door: Ping(n=2) from visitor -> open",
    ]


def test_a_wish_of_another_process_makes_the_move(tmp_path: Path) -> None:
    system = System(processes={"door": Door(), "visitor": Visitor()})
    path = tmp_path / "j.db"

    async def begin() -> str:
        async with Host(system, journal=path) as host:
            await host.start("s")
            with open_journal(str(path), fresh=False) as outside:
                outside.wish("s", "move", process="door", move="unlock")
            return await host.until_over("s")

    assert run(begin) == "over"
    with open_journal(str(path), fresh=False) as journal:
        assert journal.wishes() == []


class Deaf(Process):
    states = ("up",)


def test_a_machine_beyond_its_table_stops_the_host_and_keeps_nothing_of_the_input(tmp_path: Path) -> None:
    system = System(processes={"visitor": Visitor(), "door": Deaf()})
    path = tmp_path / "j.db"
    host = Host(system, journal=path, leaves=tmp_path / "left")
    with pytest.raises(BeyondTable, match="unhandled Ping in state up of door: Ping") as caught:
        run(lambda: to_its_end(host))
    assert [Path(one).name for one in caught.value.left] == ["host-s.jsonl"]
    assert (
        (tmp_path / "left" / "host-s.jsonl")
        .read_text()
        .splitlines()[-1]
        .startswith('{"process":"door","input":{"deliver"')
    )
    with open_journal(str(path), fresh=False) as journal:
        assert journal.sessions()["s"][1:3] == ("failed", "session s: unhandled Ping in state up of door: Ping(n=1)")
        assert len(journal.mail("s")) == 2
    assert lines_of(path) == ["visitor: start -> up; Ping to door, Ping to door", "door: start -> up"]


class Never(Monitor):
    states = ("watching",)
    transitions = ({"trigger": Noted, "source": "watching", "dest": None, "after": "complain"},)

    def complain(self, noted: Noted) -> None:
        if noted.n == 2:
            self.violate("two was noted")


def test_a_monitor_that_is_violated_stops_the_host(tmp_path: Path) -> None:
    def system() -> System:
        return pings().with_(monitors={"never": Never()})

    host = Host(system, journal=tmp_path / "j.db", leaves=None)
    with pytest.raises(BeyondTable, match="never: two was noted"):
        run(lambda: to_its_end(host))
    assert not any("Ping(n=2)" in line for line in lines_of(tmp_path / "j.db"))


class Hopeful(Process):
    states = ("up", "waiting")
    hot = ("waiting",)
    must = ("go",)
    transitions = ({"trigger": "go", "source": "up", "dest": "waiting"},)


def test_who_comes_to_rest_and_owes_something_has_failed(tmp_path: Path) -> None:
    host = Host(System(processes={"hopeful": Hopeful()}), journal=tmp_path / "j.db")
    assert run(lambda: to_its_end(host)) == "at rest, though hopeful is waiting"


class Alarm(Process):
    states = ("up", "rung")
    timers = ("bell",)
    transitions = ({"trigger": "bell", "source": "up", "dest": "rung"},)

    def on_start(self) -> None:
        self.arm("bell", 60_000)

    def on_restart(self) -> None:
        self.arm("bell", (1, 5))


def test_timers_are_lost_in_a_stop_and_those_of_on_restart_ring(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    system = System(processes={"alarm": Alarm()})

    async def begin() -> None:
        async with Host(system, journal=path) as host:
            await host.start("s")

    run(begin)
    assert run(lambda: to_its_end(Host(system, journal=path))) == "over"
    assert lines_of(path) == [
        "alarm: start -> up",
        "alarm: crash",
        "alarm: restart -> up",
        "alarm: fire bell -> rung",
    ]


class Judge(Process):
    states = ("up",)
    transitions = ({"trigger": Ping, "source": "up", "dest": None, "after": "say"},)

    def say(self, ping: Ping) -> None:
        self.send(self.sender, Pong(self.choose(ping.n, 7)))


class Saying:
    """An adapter that gives what it is told."""

    def __init__(self, *replies: Reply) -> None:
        self.replies, self.asked = list(replies), list[tuple[str, tuple[Any, ...]]]()

    async def ask(self, question: Any) -> Reply:
        self.asked.append((question.key, question.answers))
        return self.replies.pop(0)

    async def close(self) -> None:
        self.asked.append(("closed", ()))


def judged(rounds: int = 1) -> System:
    return System(processes={"pinger": Pinger(rounds=rounds), "ponger": Judge()})


def test_an_adapter_decides_what_the_model_s_process_chooses(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    saying = Saying(Reply(1, text="it is one"))
    host = Host(judged, journal=path, adapters={"ponger": saying})
    assert run(lambda: to_its_end(host)) == "over"
    assert [answers for _, answers in saying.asked] == [(1, 7), ()]
    assert lines_of(path)[-1] == "pinger: Pong(n=1) from ponger -> done"
    with open_journal(str(path), fresh=False) as journal:
        (call,) = journal.calls("s")
        assert call[5]["answer"] == "1"


def test_an_answer_that_the_model_does_not_have_is_refused_and_the_message_stays(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with pytest.raises(AdapterError, match="ponger answered 3, which its model does not allow: it answers 1 or 7"):
        run(lambda: to_its_end(Host(judged, journal=path, adapters={"ponger": Saying(Reply(3))}), rounds=2))
    again = Saying(Reply(1), Reply(2))
    assert run(lambda: to_its_end(Host(judged, journal=path, adapters={"ponger": again}))) == "over"
    with open_journal(str(path), fresh=False) as journal:
        first, second, _ = journal.calls("s")
        assert (first[0], first[3]) == (second[0], None)
        assert again.asked[0][0] == f"{journal.id}/{first[0]}"


def test_two_hosts_share_no_journal(tmp_path: Path) -> None:
    async def both() -> None:
        async with Host(pings, journal=tmp_path / "j.db"):
            with pytest.raises(ConfigError, match="is hosted already"):
                async with Host(pings, journal=tmp_path / "j.db"):
                    pass

    run(both)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"here": ["pinger", "pongr"]}, "here: unknown process 'pongr'"),
        ({"here": ["pinger"]}, "ponger is nowhere: name it in here, adapters or links"),
        (
            {"here": ["pinger", "ponger"], "adapters": {"ponger": Saying()}},
            "ponger is a machine here or played by an adapter",
        ),
        ({"until": {"pinger": ["finished"]}}, "until: pinger: unknown state 'finished'"),
        ({"decide": {"pingr": max}}, "decide: unknown process 'pingr'"),
    ],
)
def test_what_cannot_be_hosted_is_told_in_one_line(given: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Host(pings(), journal=tmp_path / "j.db", **given)
    assert told in caught.value.mistakes[0]
    assert not (tmp_path / "j.db").exists()


def test_effects_of_a_session_are_judged_over_a_stop(tmp_path: Path) -> None:
    """What monitors know outlives a stop: an effect that is applied again behind it is found out."""

    class Applies(Process):
        states = ("up", "done")
        must = ("go",)
        transitions = ({"trigger": "go", "source": "up", "dest": "done", "after": "apply"},)

        def apply(self) -> None:
            from sim import Accepted

            self.emit(Accepted(1))
            self.emit(Applied(1))

    system = System(processes={"applies": Applies()}, monitors={"effects": EffectLedger()})
    path = tmp_path / "j.db"

    async def begin() -> None:
        host = Host(system, journal=path)
        await host.open()
        await host.start("s")
        session = host.running["s"]
        while session.locals["applies"].state != "done":
            await asyncio.sleep(0)
        await host.close()

    run(begin)
    with open_journal(str(path), fresh=False) as journal, journal.database.writing() as change:
        change.do("UPDATE session SET state = 'open'")
    with pytest.raises(BeyondTable, match="effects: 1 was applied twice"):
        run(lambda: to_its_end(Host(system, journal=path, leaves=None)))


def test_a_log_that_is_written_while_a_session_goes_on_is_that_of_its_journal(tmp_path: Path) -> None:
    """Also where a line of the trace says nothing: it only gave a message its number, and is no cause of what follows."""
    path, file = tmp_path / "j.db", tmp_path / "run.jsonl"

    async def work() -> list[str]:
        async with Host(pings, journal=path) as host:
            log = LogFile(host.journal, "s", str(file))
            await host.start("s", rounds=3)
            log.catch_up()
            session = host.running["s"]
            nothing = Line(host.journal.lines + 1, "s", "pinger", {}, 0)
            host.journal.keep(Step("s", lines=[nothing]))
            log.catch_up()
            await host.until_over("s")
            assert session.over
            log.catch_up()
            return [*log_text(host.journal, "s")]

    whole = run(work)
    assert file.read_text() == "".join(whole)
    known = {json.loads(line).get("id") for line in whole}
    assert all(json.loads(line).get("cause") in {*known, None} for line in whole)
