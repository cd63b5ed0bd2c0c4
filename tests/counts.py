"""How often a test tries: `make test` takes a slice of the large counts, `make soak` takes them whole.

The same lines of the same test run in both, and its planted faults are caught within the slice.
"""

from __future__ import annotations

import os

SLICE = 50


def examples(whole: int) -> int:
    """How many examples Hypothesis draws of a test that shows what it owes in `whole` of them."""
    return whole if os.environ.get("HYPOTHESIS_PROFILE") == "wide" else min(whole, SLICE)
