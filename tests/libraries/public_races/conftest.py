"""These tests install old versions of libraries, so they are left to `make test-public-races`."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("PUBLIC_RACES") else ["test_*.py"]
