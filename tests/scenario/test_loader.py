"""What a good file means."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sim import Uniform, simulate
from sim.base.errors import ScenarioError
from sim.faults.plan import FaultEntry
from sim.scenario import Expectation, Scenario, load_scenario, load_target, parse_scenario
from sim.scenario.document import NODES_MAX

TOY = ("toyshop",)


def read(text: str, **options: object) -> Scenario:
    return parse_scenario(f"model: toyshop\n{text}", "f.yaml", allow=TOY, **options)  # type: ignore[arg-type]


def mistakes(text: str, **options: object) -> tuple[str, ...]:
    with pytest.raises(ScenarioError) as caught:
        read(text, **options)
    return caught.value.mistakes


def test_what_a_file_leaves_out() -> None:
    scenario = read("")
    assert (scenario.path, scenario.model, scenario.config) == ("f.yaml", "toyshop", {})
    assert (scenario.strategy, scenario.seed, scenario.schedule, scenario.then) == ("virtual_time", 0, None, "stop")
    assert (scenario.max_steps, scenario.description) == (10_000, "")
    assert scenario.epoch == datetime(2025, 1, 1, tzinfo=UTC)
    assert scenario.expect == Expectation("ok", None, {}, {}, {})
    assert scenario.system.network == "any"
    assert not scenario.faults_given


def test_everything_a_file_can_say() -> None:
    scenario = read(
        "description: |\n  two\n  lines\n"
        "config: {names: [x, y], polite: false, note: null, limits: [[a, 1]]}\n"
        "network: fifo\nfaults: [reorder:1, 'agent_timeout:2@buyer']\nstrategy: uniform\nseed: 7\nsteps: 50\n"
        "epoch: 2025-06-01T12:00:00+02:00\n"
        "expect:\n  violation: till\n  emitted: {Sold: 1, Rejected: 2}\n  rejected: {late: 2}\n"
        "  states: {buyer: done, till: counting, shop: (down)}\n"
    )
    assert scenario.description == "two\nlines\n"
    assert scenario.config == {"names": ["x", "y"], "polite": False, "note": None, "limits": [["a", 1]]}
    assert scenario.system.network == "fifo"
    assert scenario.system.budget == (FaultEntry("reorder", 1), FaultEntry("agent_timeout", 2, "buyer"))
    assert (scenario.strategy, scenario.seed, scenario.max_steps) == ("uniform", 7, 50)
    assert scenario.epoch == datetime(2025, 6, 1, 10, tzinfo=UTC)
    assert scenario.expect == Expectation(
        "violated",
        "till",
        {"Sold": 1, "Rejected": 2},
        {"late": 2},
        {"buyer": "done", "till": "counting", "shop": "(down)"},
    )


def test_a_file_may_say_the_kind_of_each_link() -> None:
    scenario = read('network:\n  "*": any\n  shop->*: latest\n  buyer->shop: fifo\nfaults: reorder:1\n')
    assert scenario.system.network == {"*": "any", "shop->*": "latest", "buyer->shop": "fifo"}
    assert scenario.system.kind_of("shop", "buyer") == "latest"


def test_one_name_alone_is_a_list_of_one() -> None:
    scenario = read("config: {names: a}\nproperties: till\n")
    assert scenario.config == {"names": "a"}, "as it was given"
    assert scenario.system.judged == ("till",)
    assert read("properties: [till]").system.judged == scenario.system.judged
    told = {
        said: simulate(
            parse_scenario(f"model: models.consensus\nconfig: {{stages: {said}}}\n", "f.yaml").system, Uniform(1)
        ).trace
        for said in ("plan", "[plan]", "[validate]")
    }
    assert told["plan"].schedule() == told["[plan]"].schedule()
    assert told["plan"].schedule() != told["[validate]"].schedule(), "stages are seen in a run"


def test_mistakes_in_the_kinds_of_links_are_told_where_they_are() -> None:
    assert mistakes("network: {buyer->shp: fifo, shop: any, '*': tcp}") == (
        "f.yaml:2:11: network: link 'buyer->shp': unknown process 'shp' (did you mean 'shop'?): use buyer or shop",
        "f.yaml:2:29: network: 'shop' is not a link; write source->target, either side may be *",
        "f.yaml:2:45: network of *: unknown kind 'tcp': use any, fifo, set or latest",
    )
    assert mistakes("network: [fifo]")[0].startswith("f.yaml:2:10: network is a list; expected one of any, fifo, set, ")


@pytest.mark.parametrize(("name", "value"), [("faults", "drop:1"), ("network", "fifo"), ("properties", "[judge]")])
def test_a_parameter_that_would_be_left_at_its_default_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("toyshop")
    space: dict[str, Any] = {"whole": module.system}
    exec(f"def system({name}='any'): return whole()", space)
    monkeypatch.setattr(module, "system", space["system"])
    said = f"toyshop.system has a parameter {name!r}, which `--set` and scenario files keep for the system itself"
    assert said in mistakes(f"{name}: {value}")[0]
    if name != "properties":
        assert said in "".join(mistakes("", overrides={name: value}))
    assert read("").config == {}, "whoever does not give it is not in its way"
    assert name != "network" or read("network: any").config == {}, "so that what a check writes can be read again"


def test_a_run_has_the_faults_of_the_file_and_a_check_the_budget_of_the_model() -> None:
    without = read("")
    assert without.system.budget == ()
    assert without.model_system.budget == (FaultEntry("drop", 1),)
    given = read("faults: crash:1@shop after Answer\n")
    assert given.system.budget == given.model_system.budget == (FaultEntry("crash", 1, "shop", after="Answer"),)
    assert given.faults_given
    none = read("faults: none\n")
    assert none.system.budget == none.model_system.budget == ()
    assert none.faults_given


def test_an_explicit_schedule_has_what_it_uses_without_limit() -> None:
    scenario = read(
        "then: usual\nnetwork: fifo\nschedule:\n"
        "  - fire buyer.retry\n"
        '  - "deliver buyer->shop Order(number=1) #1 crashing after Sold"\n'
        "  - drop buyer->shop Order\n"
        "  - duplicate shop->buyer Answer\n"
        "  - deliver shop->buyer Answer under rate_limited(30s)\n"
        "  - deliver shop->buyer Answer under agent_timeout\n"
        "  - deliver shop->buyer Answer reordered\n"
        "  - cut wall\n"
        "  - cut wall\n"
    )
    assert scenario.schedule is not None
    assert [(item.line, item.column) for item in scenario.schedule] == [(n, 5) for n in range(5, 14)]
    assert scenario.schedule[1].text == "deliver buyer->shop Order(number=1) #1 crashing after Sold"
    assert scenario.schedule[1].address.ordinal == 1
    assert [str(entry) for entry in scenario.system.budget] == [
        "crash:unlimited",
        "drop:unlimited",
        "duplicate:unlimited",
        "rate_limited:unlimited(30s)",
        "agent_timeout:unlimited",
        "reorder:unlimited",
        "cut:unlimited",
    ]
    assert scenario.model_system.budget == (FaultEntry("drop", 1),)
    assert (scenario.strategy, scenario.then, scenario.faults_given) == ("replay", "usual", False)


def test_a_schedule_without_faults_has_no_budget() -> None:
    assert read("schedule: [fire buyer.retry, move buyer.stop]\n").system.budget == ()
    assert read("schedule: []\n").schedule == ()


def test_timing_is_the_models_but_for_what_the_file_says() -> None:
    timing = read(
        'timing: {links: {"shop -> *": 1s..2s}, moves: {buyer.stop: never}, restart: 5s, may: 1.5s, heal: 1min}\n'
    ).timing
    assert timing.latency_ms == (7, 9)
    assert timing.links == {"buyer->shop": (1, 1), "shop->*": (1000, 2000)}
    assert timing.link("shop", "buyer") == (1000, 2000)
    assert timing.moves == {"buyer.stop": None}
    assert (timing.restart_ms, timing.may_ms, timing.heal_ms) == ((5000, 5000), (1500, 1500), (60_000, 60_000))
    scenario = read("timing: {latency: 1ms}\n")
    assert scenario.system.timing == scenario.model_system.timing == scenario.timing
    assert scenario.timing.latency_ms == (1, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("buyers=1", 1),
        ("names=x", ["x"]),
        ("names=x, y", ["x", "y"]),
        ("names=1,2", ["1", "2"]),
        ("names=", []),
        ("polite=false", False),
        ("mood=bad", "bad"),
        ("note=null", None),
        ("note=3", "3"),
        ("note=true", "true"),
        ("limits=[[a, 1], [b, 2]]", [["a", 1], ["b", 2]]),
    ],
)
def test_overrides_are_read_by_the_annotation_of_their_parameter(text: str, value: object) -> None:
    key, _, given = text.partition("=")
    scenario = read("config: {polite: true, names: [q]}\n", overrides={key: given})
    assert scenario.config[key] == value
    assert type(scenario.config[key]) is type(value)


def test_a_file_or_an_option_says_what_is_judged() -> None:
    scenario = read("properties: [till, stuck]\n")
    assert (scenario.system.judged, [*scenario.system.monitors]) == (("till", "stuck"), ["till"])
    assert scenario.model_system.properties == []
    other = read("properties: [till]\n", overrides={"properties": "the shop is open, a sale"}).system
    assert ([prop.name for prop in other.properties], [*other.monitors]) == (["the shop is open", "a sale"], [])
    assert read("").system.judged == ()


def test_overrides_replace_what_the_file_says() -> None:
    scenario = read("network: any\nseed: 1\nfaults: drop:2\n", overrides={"network": "fifo"}, faults="drop:3", seed=9)
    assert (scenario.system.network, scenario.seed) == ("fifo", 9)
    assert scenario.system.budget == scenario.model_system.budget == (FaultEntry("drop", 3),)
    assert read("", overrides={"faults": "drop:4"}).system.budget == (FaultEntry("drop", 4),)
    assert read("config: {buyers: 2}\n", overrides={"buyers": "1"}).config == {"buyers": 1}
    assert read("config: {buyers: x}\n", overrides={"buyers": "1"}).config == {"buyers": 1}


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            {"overrides": {"buyer": "1"}},
            "--set buyer=1: toyshop: unknown parameter 'buyer' (did you mean 'buyers'?): use buyers, names, "
            "polite, mood, note, limits, faults, network or properties",
        ),
        ({"overrides": {"buyers": "x"}}, "--set buyers=x: buyers is 'x'; expected a whole number"),
        ({"overrides": {"buyers": "1.0"}}, "--set buyers=1.0: buyers is '1.0'; expected a whole number"),
        ({"overrides": {"polite": "1"}}, "--set polite=1: polite is '1'; expected true or false"),
        (
            {"overrides": {"network": "fife"}},
            "--set network=fife: unknown network 'fife' (did you mean 'fifo'?): use any, fifo, set or latest",
        ),
        (
            {"overrides": {"properties": "tilt"}},
            "--set properties=...: unknown property 'tilt' (did you mean 'till'?): use the shop is open, a sale, "
            "till, stuck, unhandled or exception",
        ),
        (
            {"faults": "drop"},
            "--faults: fault 'drop' is malformed (did you mean 'drop:1'?); write kind:count, such as agent_timeout:2@gemini",
        ),
        (
            {"faults": "drop:1", "overrides": {"faults": "drop:2"}},
            "--faults and --set faults=... are both given; give one",
        ),
        ({"seed": -1}, "--seed -1: must be a whole number from 0 to 18446744073709551615"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, object], line: str) -> None:
    assert mistakes("", **options) == (line,)


def test_options_beside_an_explicit_schedule() -> None:
    text = "schedule: [move buyer.stop]\n"
    where = "f.yaml:2:1: "
    assert mistakes(text, seed=3) == (
        f"{where}--seed 3 next to an explicit schedule, in which nothing is drawn; leave it out",
    )
    says = "next to an explicit schedule, which already says what strikes; leave it out"
    assert mistakes(text, faults="drop:1") == (f"{where}--faults {says}",)
    assert mistakes(text, overrides={"faults": "drop:1"}) == (f"{where}--set faults=... {says}",)


def test_a_target_by_name_keeps_the_models_budget() -> None:
    target = load_target("toyshop", {"mood": "bad"})
    assert (target.name, target.model, target.config, target.scenario) == ("toyshop", "toyshop", {"mood": "bad"}, None)
    assert target.system.budget == (FaultEntry("drop", 1),)
    other = load_target("toyshop", {"faults": "drop:2,duplicate:1", "network": "fifo"})
    assert [str(entry) for entry in other.system.budget] == ["drop:2", "duplicate:1"]
    assert other.system.network == "fifo"
    assert load_target("toyshop", faults="none").system.budget == ()


def test_a_target_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "round.yaml"
    file.write_text("model: toyshop\nschedule: [move buyer.stop]\n")
    target = load_target(str(file), allow=TOY)
    assert target.scenario == load_scenario(file, allow=TOY) or target.scenario is not None
    assert (target.name, target.model) == (str(file), "toyshop")
    assert target.system.budget == (FaultEntry("drop", 1),)
    explored = load_target(str(file), {"faults": "drop:5"}, allow=TOY)  # explored, the schedule is not followed
    assert explored.system.budget == (FaultEntry("drop", 5),)


@pytest.mark.parametrize(
    ("target", "overrides", "line"),
    [
        ("no/such.yaml", {}, "no/such.yaml: no such file; name a scenario file"),
        ("such.yml", {}, "such.yml: no such file; name a scenario file"),
        ("toyshop", {"buyers": "2"}, "toyshop rejects its configuration: buyers=2: this shop serves one"),
        (
            "models.paxos",
            {"client": "2"},
            "--set client=2: models.paxos: unknown parameter 'client' (did you mean 'clients'?): use clients, faults, network or properties",
        ),
        (
            "models.paxos",
            {"clients": "0"},
            "models.paxos rejects its configuration: clients is 0; must be 1 to 26",
        ),
    ],
)
def test_targets_that_do_not_fit(target: str, overrides: dict[str, str], line: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_target(target, overrides)
    assert line in caught.value.mistakes


def test_an_expected_name_of_the_framework_is_known() -> None:
    assert read("expect: {violation: stuck, emitted: {Applied: 0}}\n").expect.emitted == {"Applied": 0}
    assert mistakes("expect: {violation: stock}\n") == (
        "f.yaml:2:21: unknown property 'stock' (did you mean 'stuck'?): use till, the shop is open, a sale, "
        "stuck, unhandled or exception",
    )


def test_a_budget_of_the_model_itself_that_fits_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a fault never strikes, and a check would say ok of less than it seems to."""
    import toyshop

    make = toyshop.system
    monkeypatch.setattr(toyshop, "system", lambda: make().with_(faults="drop:1@Ordr, crash:1@shop after Bogus"))
    with pytest.raises(ScenarioError) as caught:
        load_target("toyshop", allow=TOY)
    first, second = caught.value.mistakes
    assert first.startswith("toyshop: fault 'drop:1@Ordr': unknown message type 'Ordr' (did you mean 'Order'?)")
    assert second.startswith("toyshop: fault 'crash:1@shop after Bogus': unknown output 'Bogus'")
    assert load_target("toyshop", allow=TOY, faults="drop:1@Order").system.budget


@pytest.mark.parametrize("name", ["Received", "Crashed", "Restarted"])
def test_what_only_monitors_hear_cannot_be_expected_of_a_run(name: str) -> None:
    """No process emits it, so a run counts none of it, whatever happens."""
    (told,) = mistakes(f"expect: {{emitted: {{{name}: 1}}}}\n")
    assert f"unknown emission class '{name}'" in told


@pytest.mark.parametrize(
    ("key", "text", "written"),
    [
        ("note", "early,polite=true", "--set note=early --set polite=true"),  # `note` is text, and would take it all
        ("names", "a,b, buyers=2", "--set names=a,b --set buyers=2"),  # a list would, too
        ("buyers", "1,polite=true,names=a", "--set buyers=1 --set polite=true --set names=a"),
        ("note", "early,polit=true", "--set note=early --set polit=true"),
        ("faults", "drop:1,buyers=2", "--set faults=drop:1 --set buyers=2"),
        ("note", "early,network=fifo", "--set note=early --set network=fifo"),
    ],
)
def test_settings_that_are_run_together_are_refused_and_said_apart(key: str, text: str, written: str) -> None:
    assert mistakes("", overrides={key: text}) == (
        f"--set {key}={text}: each setting has a --set of its own; write {written}",
    )


def test_a_text_with_a_comma_and_an_equals_sign_is_a_text() -> None:
    for text in ("x=1,y", "early,z=1", "polite=true", "a, b"):
        assert read("", overrides={"note": text}).config == {"note": text}


def test_a_file_of_too_many_values_is_refused_where_they_begin_to_be_too_many() -> None:
    text = "model: models.consensus\nfaults:\n" + "- drop:1\n" * (NODES_MAX + 1)
    with pytest.raises(ScenarioError) as told:
        parse_scenario(text, "s.yaml")
    assert told.value.mistakes[0] == "s.yaml:50000:3: more than 50,000 keys and values; a scenario is a short text"


def test_a_long_plan_is_a_plan_and_each_entry_in_it_is_blamed_for_itself() -> None:
    entries = [f"delay:1@gemini({number}ms)" for number in range(1, 2_001)]
    scenario = parse_scenario("model: models.consensus\nfaults:\n" + "".join(f"- {one}\n" for one in entries), "s.yaml")
    assert len(scenario.system.budget) == 2_000
    wrong = ["drop:1@nobody", entries[7], "explode:1"]
    with pytest.raises(ScenarioError) as told:
        parse_scenario(
            "model: models.consensus\nfaults:\n" + "".join(f"- {one}\n" for one in entries + wrong), "s.yaml"
        )
    assert [mistake.split(":")[1] for mistake in told.value.mistakes] == ["2003", "2004", "2005"]
