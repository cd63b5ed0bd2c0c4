"""The device-code login, checked exhaustively: ours holds, and every fault of the reference is found by name."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from models.device_login import system
from models.device_login.options import means_pending
from sim import ConfigError, always, check

SMALL: dict[str, Any] = {"slow_downs": 0, "retries": 0, "challenges": False}
"""A login with nothing that could be left out; what is refused in it is found sooner."""


def test_the_default_holds_with_crashes_of_the_client_and_two_clients_that_refresh() -> None:
    result = check(system())
    assert result.verdict == "ok", result.finding
    assert result.complete
    assert (result.states, result.generated, result.depth) == (101_152, 556_267, 47)
    kinds = {(entry.kind, entry.target) for entry in system().budget}
    assert {("crash", "client"), ("drop", "PollAnswer"), ("duplicate", "Refresh"), ("disconnect", None)} == kinds
    assert {"client", "other"} <= set(system().processes)
    assert "never stuck" in result.proved
    monitors = {"one_ending", "code_once", "workspace_allowed", "poll_pace", "rotation_kept", "session_kept"}
    assert {f"monitor {name}" for name in monitors} <= set(result.proved)


def test_a_login_at_the_device_auth_api_holds_and_is_never_denied() -> None:
    result = check(system(server="device_auth"))
    assert result.verdict == "ok", result.finding
    assert result.complete
    assert (result.states, result.generated, result.depth) == (53_620, 231_343, 47)
    ends = {name.removeprefix("sometimes a login ends as ") for name in result.proved}
    assert {"granted", "expired", "cancelled", "failed"} <= ends
    assert "denied" not in ends
    never = always("no login ends as denied", lambda client: client.login != "denied")
    whole = system(server="device_auth", part="login", **SMALL)
    assert check(whole.with_(properties=(*whole.properties, never))).verdict == "ok"
    standard = system(part="login", **SMALL)
    assert check(standard.with_(properties=(*standard.properties, never))).verdict == "violated"


PENDING = {"rfc8628": (400, "authorization_pending"), "device_auth": (403, "")}


@pytest.mark.parametrize("server", ["rfc8628", "device_auth"])
def test_each_server_says_pending_in_its_own_way_and_only_that_protocol_reads_it(server: Any) -> None:
    status, error = PENDING[server]
    assert {name: means_pending(name, status, error, page=False) for name in PENDING} == {
        name: name == server for name in PENDING
    }
    assert not means_pending(server, status, error, page=True)
    assert means_pending("device_auth", 404, "", page=False)


@pytest.mark.parametrize(
    ("config", "faults", "states"),
    [
        ({"part": "refresh"}, "crash:1@client,crash:1@other,disconnect:1", 7_564),
        ({"part": "refresh", "uses": 2}, "crash:1@client,keyring_error:1", 14_292),
    ],
)
def test_refreshing_holds_in_larger_bounds(config: dict[str, Any], faults: str, states: int) -> None:
    result = check(system(**config).with_(faults=faults))
    assert result.verdict == "ok", result.finding
    assert result.states == states


@pytest.mark.parametrize("mode", ["file", "keyring", "auto"])
def test_every_store_mode_holds_when_store_and_keyring_fail(mode: Any) -> None:
    small = system(part="refresh", cli_auth_credentials_store_mode=mode)
    result = check(small.with_(faults="crash:1@store,crash:1@client,keyring_error:1"))
    assert result.verdict == "ok", result.finding
    login = system(part="login", cli_auth_credentials_store_mode=mode, **SMALL)
    assert check(login.with_(faults="crash:1@store,crash:1@client,keyring_error:2")).verdict == "ok"


@pytest.mark.parametrize("stored", ["chatgpt", "foreign", "api_key", "nothing"])
@pytest.mark.parametrize("method", ["", "chatgpt"])
@pytest.mark.parametrize("api_key", [False, True])
@pytest.mark.parametrize("workspace", ["", "ours", "elsewhere"])
def test_every_restriction_holds_for_every_content(stored: Any, method: Any, api_key: bool, workspace: str) -> None:
    small = system(
        part="refresh",
        stored=stored,
        forced_login_method=method,
        api_key=api_key,
        forced_chatgpt_workspace_id=workspace,
    )
    result = check(small.with_(faults="crash:1@client"))
    assert result.verdict == "ok", result.finding


@pytest.mark.parametrize("config", [{"device_codes": False}, {"forced_chatgpt_workspace_id": "elsewhere"}])
def test_a_login_that_cannot_be_granted_ends_all_the_same(config: dict[str, Any]) -> None:
    assert check(system(part="login", **SMALL, **config).with_(faults="crash:1@client,disconnect:1")).verdict == "ok"


def test_a_login_ends_on_every_fair_run() -> None:
    result = check(system(part="login", liveness=True).with_(faults="crash:1@client"))
    assert result.verdict == "ok", result.finding
    assert "eventually the login ends" in result.proved


@pytest.mark.soak
@pytest.mark.parametrize("part", ["login", "refresh"])
def test_each_part_holds_in_its_own_bounds(part: Any) -> None:
    assert check(system(part=part)).verdict == "ok"


@pytest.mark.soak
def test_a_login_holds_with_every_message_doubled_and_both_clients_crashing() -> None:
    assert check(system().with_(faults="crash:1@client,drop:1@PollAnswer,duplicate:1@server")).verdict == "ok"
    faults = "crash:1@client,crash:1@other,drop:1@PollAnswer,disconnect:1,duplicate:1@Refresh"
    assert check(system().with_(faults=faults)).verdict == "ok"


# --- what the reference does wrong ----------------------------------------------------------------------

KEY_FORBIDDEN = {"part": "refresh", "api_key": True, "forced_login_method": "chatgpt"}

REFERENCE: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"hot_polling": True}, {}, "poll_pace"),
    ({"slow_down_once": True}, {}, "poll_pace"),
    ({"abort_on_transport_error": True}, {}, "transport_retried"),
    ({"escape_keeps_polling": True}, {}, "quiet_after_end"),
    ({"status_only": True}, {"server": "device_auth"}, "final_answer"),
    ({"speaks": "rfc8628"}, {"server": "device_auth"}, "final_answer"),
    ({"speaks": "device_auth"}, {}, "final_answer"),
    ({"unchecked_workspace": True}, {}, "workspace_allowed"),
    ({"ignore_api_key": True}, {"part": "refresh", "api_key": True}, "api_key_first"),
    ({"key_deletes_login": True}, KEY_FORBIDDEN, "only_forbidden_removed"),
    ({"rotation": "permanent"}, {"part": "refresh"}, "session_kept"),
    ({"rotation": "permanent"}, SMALL, "session_kept"),
    ({"rotation": "retries"}, {"part": "refresh"}, "session_kept"),
    ({"exchange_again": True}, {}, "code_once"),
    ({"save_in_place": True}, {"part": "refresh", "cli_auth_credentials_store_mode": "file"}, "credentials are whole"),
    ({"keyring_shadows_file": True}, {"part": "refresh"}, "session_kept"),
    ({"drop_unsaved": True}, {"part": "refresh", "cli_auth_credentials_store_mode": "keyring"}, "rotation_kept"),
    ({"forget_interrupted": True}, {}, "one_ending"),
]


def named(case: tuple[dict[str, Any], dict[str, Any], str]) -> str:
    (switch, value), *_ = case[0].items()
    return f"{switch}={value}"


@pytest.mark.parametrize(("fault", "config", "broken"), REFERENCE, ids=map(named, REFERENCE))
def test_each_fault_is_found_when_switched_on_and_is_what_makes_the_difference(
    fault: dict[str, Any], config: dict[str, Any], broken: str
) -> None:
    result = check(system(**config, **fault))
    assert result.finding is not None
    assert result.finding.property == broken


def test_every_switch_is_tried() -> None:
    names = list(inspect.signature(system).parameters)
    switches = names[names.index("hot_polling") :]
    assert switches == [*dict.fromkeys(switches)]
    assert {name for fault, _, _ in REFERENCE for name in fault} == set(switches)


def test_a_race_between_two_clients_needs_no_fault_to_lose_a_session() -> None:
    result = check(system(part="refresh", rotation="permanent").with_(faults=""))
    assert result.finding is not None
    assert result.finding.property == "session_kept"
    assert len(result.path) == 11


@pytest.mark.parametrize(
    ("config", "mistakes"),
    [
        ({"part": "logins"}, ["unknown part 'logins': use 'all', 'login', 'refresh'"]),
        ({"server": "oauth"}, ["unknown server 'oauth': use 'rfc8628', 'device_auth'"]),
        ({"rotation": "none"}, ["unknown rotation 'none': use 'locked', 'retries', 'permanent'"]),
        ({"retries": -1, "uses": -2}, ["retries is -1; must be 0 or more", "uses is -2; must be 0 or more"]),
        ({"intervals": ()}, ["intervals is empty; name at least one, such as '5', or '' for a server that names none"]),
        ({"intervals": ("5s",)}, ["interval '5s' is not a number of seconds; write one such as '5', or '' for none"]),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_in_one_line_each(
    config: dict[str, Any], mistakes: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        system(**config)
    assert list(caught.value.mistakes) == mistakes
