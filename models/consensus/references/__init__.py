"""Coordinators that do otherwise than ours, so that a check can show what comes of it.

What belongs here: every deviation of a reference as a switch, the rows and overridden methods that it turns on,
and the profiles that are whole coordinators. What does not: anything that ours needs; ours knows nothing of this
package but where a run is configured.
"""

from __future__ import annotations

from typing import TypeVar, cast

from sim import Process

from ..consumer import Consumer
from ..coordinator import Coordinator
from ..peers import ArtifactStore, User
from ..staged import Staged
from .consumer import ReferenceConsumer
from .coordinator import ReferenceCoordinator
from .peers import ReferenceStore, ReferenceUser
from .staged import ReferenceStaged

P = TypeVar("P", bound=Process)

_INSTEAD: dict[type[Process], type[Process]] = {
    Coordinator: ReferenceCoordinator,
    Staged: ReferenceStaged,
    Consumer: ReferenceConsumer,
    ArtifactStore: ReferenceStore,
    User: ReferenceUser,
}


def kind_of(ours: type[P], deviations: tuple[str, ...]) -> type[P]:
    """This class of ours, or the one that a reference has instead where it deviates at all."""
    return cast(type[P], _INSTEAD[ours]) if deviations else ours
