"""The gate gives the same answer every time: Hypothesis draws the same examples, and no clock is asked.

`HYPOTHESIS_PROFILE=wide` draws anew each time, and whole counts, as a soak does.
"""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from tests.counts import SLICE

QUIET = [HealthCheck.too_slow]
settings.register_profile(
    "gate", max_examples=SLICE, derandomize=True, database=None, deadline=None, suppress_health_check=QUIET
)
settings.register_profile("wide", deadline=None, suppress_health_check=QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell that starts the tests in its background has their children ignore ctrl-C, which some of them are sent
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def own_state() -> Iterator[None]:
    """The key that seals sessions is not that of whoever runs the tests, nor the width of lines that of their
    terminal."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", folder)
        patch.delenv("COLUMNS", raising=False)
        yield


def pytest_collection_finish(session: pytest.Session) -> None:
    """Hypothesis also draws constants that it finds in the modules loaded so far. From here on they stay what they are:
    what a test loads before another would change the draws of the other, and who runs before whom is chance."""
    known = providers._get_local_constants() if hasattr(providers, "_get_local_constants") else None
    if known is not None:
        providers._get_local_constants = lambda: known
    freeze_garbage()


def freeze_garbage() -> None:
    """What is imported and collected stays: that the collector of garbage went over it again and again, and over each
    table that a test fills, took a fifth of the time of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 20)
