"""The planted faults of the consensus model, each one small named change, and where each is certain to show.

Every row says which process is replaced by which (a subclass that overrides one method or one row), and
the smallest bounds that contain the fault: configuration and fault budget. They are in one module a theme.
"""

from __future__ import annotations

from tests.saboteurs.countdown import COUNTDOWN
from tests.saboteurs.ending import ENDING
from tests.saboteurs.retries import RETRIES
from tests.saboteurs.single import SINGLE
from tests.saboteurs.stages import STAGES
from tests.saboteurs.updates import UPDATES

SABOTEURS = (*SINGLE, *STAGES, *ENDING, *COUNTDOWN, *UPDATES, *RETRIES)
