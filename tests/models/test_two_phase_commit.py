"""Two-phase commit against the published counts (stateright `examples/2pc.rs`, tlaplus/Examples)."""

from __future__ import annotations

import pytest

from models.two_phase_commit import ResourceManager, TransactionManager, system
from sim import Message, check


@pytest.mark.parametrize(
    ("managers", "counts"),
    [
        (1, (12, 20, 5)),
        (2, (56, 154, 8)),
        (3, (288, 1_146, 11)),
        (4, (1_568, 8_258, 14)),
        (5, (8_832, 58_146, 17)),
    ],
)
def test_states_generated_and_depth_are_the_published_ones(managers: int, counts: tuple[int, int, int]) -> None:
    result = check(system(resource_managers=managers))
    assert (result.states, result.generated, result.depth) == counts
    assert result.verdict == "ok"
    assert "always consistent" in result.proved


def test_handlers_run_far_less_often_than_steps_are_taken() -> None:
    result = check(system(resource_managers=5))
    assert result.handler_calls * 20 < result.generated


class HastyManager(TransactionManager):
    """Commits without waiting for everybody."""

    def all_prepared(self) -> bool:
        return bool(self.prepared)


def test_a_manager_that_commits_early_is_caught() -> None:
    sane = system(resource_managers=2)
    hasty = sane.with_(processes={**sane.processes, "manager": HastyManager(managers=frozenset({"rm1", "rm2"}))})
    result = check(hasty)
    assert result.verdict == "violated"
    assert result.finding is not None
    assert result.finding.property == "consistent"
    assert len(result.path) == 5  # one prepares, is noted, commit, it is told; the other gives up on its own


class DeafManager(ResourceManager):
    """Has no row for what it is told."""

    transitions = ResourceManager.transitions[:2]


def test_a_manager_that_misses_a_row_is_caught() -> None:
    sane = system(resource_managers=1)
    result = check(sane.with_(processes={**sane.processes, "rm1": DeafManager()}))
    assert result.finding is not None
    assert result.finding.property == "unhandled"
    assert "unhandled Abort in state working of rm1" in result.finding.message


class MuteManager(ResourceManager):
    def tell(self) -> None:
        return


def test_a_model_in_which_nobody_ever_commits_is_caught_as_vacuous() -> None:
    sane = system(resource_managers=1)
    result = check(sane.with_(processes={**sane.processes, "rm1": MuteManager()}))
    assert result.finding is not None
    assert result.finding.property == "all commit"


def test_the_public_names_are_all_the_model_needs() -> None:
    assert issubclass(Message, object)
    assert {type(p).__module__ for p in system(2).processes.values()} == {"roundsim.models.two_phase_commit"}
