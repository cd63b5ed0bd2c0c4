"""Non-atomic commit: the transaction manager commits when the first resource manager is prepared."""

from __future__ import annotations

from models.two_phase_commit import TransactionManager
from models.two_phase_commit import system as two_phase_commit
from sim import System


class HastyManager(TransactionManager):
    """Does not wait for the others."""

    def all_prepared(self) -> bool:
        return bool(self.prepared)


def system(planted: bool = True) -> System:
    sound = two_phase_commit(resource_managers=2)
    manager = HastyManager(managers=frozenset({"rm1", "rm2"}))
    return sound.with_(processes={**sound.processes, "manager": manager}) if planted else sound
