"""The example in docs/metrics.md prints what the page says that it prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_example_prints_what_the_page_says():
    code, output = re.search(r"```python\n(.+?)```\n\n```text\n(.+?)```", PAGE.read_text(), re.S).groups()
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == output
