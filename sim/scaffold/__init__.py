"""A folder to start from: a model, a scenario and tests that pass; or asyncio code with a race, and tests that find it.

What belongs here: the files, as a user gets them, with %%NAME%% where the name goes. What does not: anything that
runs; what is scaffolded is the user's from then on.
"""

from __future__ import annotations

import keyword
import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path

from sim.base.errors import ConfigError

SCHEMA = ""
"""In the place of a template: the JSON Schema of scenario files, by which editors know them."""

MODEL = {
    "pyproject.toml": "model/pyproject.toml.txt",
    "%%NAME%%.py": "model/model.py.txt",
    "scenarios/lost_answer.yaml": "model/scenario.yaml.txt",
    "scenarios/scenario.schema.json": SCHEMA,
    "tests/test_%%NAME%%.py": "model/test.py.txt",
}
LIVE = {
    "README.md": "live/README.md.txt",
    "pyproject.toml": "live/pyproject.toml.txt",
    "%%NAME%%.py": "live/code.py.txt",
    "%%NAME%%_live.py": "live/program.py.txt",
    "tests/test_%%NAME%%.py": "live/test.py.txt",
}
"""Path in the new folder -> the template it is made from."""
TAKEN = ("models", "roundsim", "sim", "tests", "scenarios", "counterexamples", "conftest", "pytest")


def scaffold(name: str, parent: Path, *, live: bool = False) -> list[Path]:
    """Make the folder `name` in `parent`, whole or not at all; the files, relative to `parent`. It holds a model, or with
    `live` an asyncio program.

    Raises `ConfigError` for a name that no module can have, or a folder that exists.
    """
    _check_name(name)
    folder = parent / name
    beside = parent / f".{name}.{os.getpid()}"
    if folder.exists():
        raise ConfigError(f"{name}: exists already; choose another name, or remove it")
    written = []
    try:
        for path, source in (LIVE if live else MODEL).items():
            file = beside / path.replace("%%NAME%%", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_text(source).replace("%%NAME%%", name), "utf-8")
            written.append(Path(name) / file.relative_to(beside))
        os.rename(beside, folder)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise ConfigError(f"{name}: cannot be created: {error.strerror}; change to a writable folder") from None
    return written


def _text(source: str) -> str:
    if source == SCHEMA:
        from sim.scenario import json_schema  # only here is a schema needed

        return json_schema()
    return files(__package__).joinpath(source).read_text("utf-8")


def _check_name(name: str) -> None:
    if not (name.isidentifier() and name.isascii()) or keyword.iskeyword(name):
        raise ConfigError(f"{name!r} is not a module name; use letters, digits and '_', such as my_coordinator")
    if name in TAKEN or name in sys.stdlib_module_names:
        raise ConfigError(f"{name!r} is the name of another module; choose another one, such as my_{name}")
