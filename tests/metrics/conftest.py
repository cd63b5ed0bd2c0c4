"""Hypothesis without deadlines: a deadline is a timing asserted in a test, and machines are shared."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
