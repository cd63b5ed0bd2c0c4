"""Builds the native extension `sim/native/_walks` where it stands: for a wheel, an editable install, and `make`.

Without a C++ compiler the package is built without it, and one line says so; the plain engine then does all the work.
Set ROUNDSIM_NATIVE=required where that would be a mistake, or ROUNDSIM_NATIVE=off to build none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = Path(__file__).parent / "sim" / "native"
MODULE = NATIVE / "module.cpp"
LIMITED = "cp311"
"""The oldest Python whose stable interface the extension uses: one build serves all later ones."""
FLAGS = ("/std:c++17", "/O2", "/EHsc") if os.name == "nt" else ("-std=c++17", "-O3", "-fvisibility=hidden")


class NoCompiler(Exception):
    """The extension could not be built; the text says why, in one line."""


def compile_into(folder: Path, *flags: str, debug: bool = False) -> Path:
    """The extension, compiled into a folder; `flags` come after the usual ones."""
    try:
        from setuptools import Distribution, Extension
        from setuptools.command.build_ext import build_ext
    except ImportError as error:
        raise NoCompiler(str(error)) from error
    linking = [flag for flag in flags if flag.startswith("-fsanitize")]
    extension = Extension(
        "_walks", [str(MODULE)], extra_compile_args=[*FLAGS, f"-DROUNDSIM_SOURCES={sources()}ULL", *flags], extra_link_args=linking,
        language="c++", py_limited_api=True,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        command = build_ext(Distribution({"name": "roundsim", "ext_modules": [extension]}))
        command.build_lib, command.build_temp, command.debug = scratch, scratch, debug
        try:
            command.ensure_finalized()
            command.run()
        except (Exception, SystemExit) as error:  # what a compiler that is not there raises has no common name
            raise NoCompiler(" ".join(f"{type(error).__name__}: {error}".split())) from error
        (built,) = (Path(scratch) / name for name in command.get_outputs())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            fresh = folder / f".{built.name}.{os.getpid()}"
            shutil.copy(built, fresh)
            os.replace(fresh, folder / built.name)  # a process that has the old one loaded keeps it
        except OSError as error:  # sources that are only to be read
            raise NoCompiler(f"it cannot be put into its place: {error}") from error
        return folder / built.name


def sources() -> int:
    """64 bits of the sources: the extension is told them, and `sim.native` compares."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(path for path in NATIVE.rglob("*") if path.suffix in (".cpp", ".hpp")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest(), "big")


def build() -> Path | None:
    """The extension in its place; None, and a line that says why, where it cannot be had."""
    wanted = os.environ.get("ROUNDSIM_NATIVE", "")
    if wanted == "off":
        return None
    try:
        return compile_into(NATIVE)
    except NoCompiler as error:
        if wanted == "required":
            raise
        print(f"roundsim: built without its native extension, the plain engine serves ({error})", file=sys.stderr)
        return None


class NativeHook(BuildHookInterface):
    """Asked by hatchling before it puts a wheel together."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        built = build()
        if built is None:
            return
        build_data["pure_python"] = False
        build_data["artifacts"] = [f"sim/native/{built.name}"]
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"{LIMITED}-abi3-{platform}"


if __name__ == "__main__":
    sys.exit(0 if build() else 1)
