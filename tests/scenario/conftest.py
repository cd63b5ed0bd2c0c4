"""The folder `toys` holds models which, to the loader, are a user's: they are found, but must be named."""

from __future__ import annotations

import sys
from pathlib import Path

TOYS = Path(__file__).parent / "toys"

sys.path.append(str(TOYS))
