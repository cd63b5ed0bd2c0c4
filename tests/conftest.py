"""The gate gives the same answer every time: Hypothesis draws the same examples, and no clock is asked.

`HYPOTHESIS_PROFILE=wide` draws anew each time, as a soak does.
"""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile(
    "gate", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("wide", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell that starts the tests in its background has their children ignore ctrl-C, which some of them are sent
    signal.signal(signal.SIGINT, signal.default_int_handler)
