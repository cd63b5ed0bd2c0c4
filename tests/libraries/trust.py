"""The certificates that clients over HTTP believe: made once, as to read them all takes longer than a run."""

from __future__ import annotations

import ssl

TRUST = ssl.create_default_context()
