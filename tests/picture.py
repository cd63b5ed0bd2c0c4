"""The picture of README.md, made by the commands that stand there, of the model that stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "race.svg"
_MODEL = re.compile(r"<!-- file: (shop.py) -->\n```python\n(.*?)^```", re.M | re.S)
_COMMAND = re.compile(r"^\$ sim (check shop|draw .* --out race.svg)$", re.M)


def drawn(folder: Path, text: str = "") -> str:
    """The picture as the commands of README.md, or of `text`, draw it today, in this empty folder."""
    text = text or README.read_text("utf-8")
    model, commands = _MODEL.search(text), _COMMAND.findall(text)
    assert model is not None
    assert len(commands) == 2, "README.md checks the shop and draws what was found"
    (folder / model[1]).write_text(model[2], "utf-8")
    for words in commands:
        subprocess.run(
            [sys.executable, "-m", "sim", *words.split()],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "sim/beside")])},
            capture_output=True,
            check=False,  # a check that finds something says so by its status
        )
    return (folder / "race.svg").read_text("utf-8")
