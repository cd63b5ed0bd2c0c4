"""The fork's store, which forgets what it has, and the upstream's user, who tells everybody."""

from __future__ import annotations

from ..messages import Cancel, Stop, Store
from ..peers import ArtifactStore, User


class ReferenceStore(ArtifactStore):
    """With its switch on it inserts whatever it is asked for, whether it has it or not."""

    def has_it(self, store: Store) -> bool:
        return super().has_it(store) and not self.unscoped


class ReferenceUser(User):
    """With its switch on the consumer hears of a wish at the same time as the coordinator."""

    def tell(self, wish: Stop | Cancel) -> None:
        super().tell(wish)
        if self.tells_consumer:
            self.send("consumer", wish)
