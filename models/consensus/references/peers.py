"""The fork's store, which forgets what it has, and the upstream's user, who tells everybody."""

from __future__ import annotations

from ..messages import Cancel, Stop, Store
from ..peers import ArtifactStore, User


class ReferenceStore(ArtifactStore):
    """With one switch on it inserts whatever it is asked for, whether it has it or not; with another it takes what any run
    has left for what it is asked for."""

    keeps_any: bool = False

    def has_it(self, store: Store) -> bool:
        if self.unscoped:
            return False
        return any(seq == store.seq for _, seq in self.applied) if self.keeps_any else super().has_it(store)


class ReferenceUser(User):
    """With its switch on the consumer hears of a wish at the same time as the coordinator."""

    def tell(self, wish: Stop | Cancel) -> None:
        super().tell(wish)
        if self.tells_consumer:
            self.send("consumer", wish)
