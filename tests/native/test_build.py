"""The extension is built where there is a compiler; where there is none the package is built without, and one line says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sim.native
from tests.native import variants


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without a compiler, on which nothing is put into the sources."""
    for name in ("CC", "CXX"):
        monkeypatch.setenv(name, str(tmp_path / "no-compiler"))
    monkeypatch.delenv("ROUNDSIM_NATIVE", raising=False)
    monkeypatch.setattr(variants.builder(), "NATIVE", tmp_path / "native")
    return tmp_path / "native"


def test_without_a_compiler_it_is_built_without_and_one_line_says_so(
    nowhere: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert variants.builder().build() is None
    _, err = capfd.readouterr()
    assert err.count("\n") == 1
    assert err.startswith("roundsim: built without its native extension, the plain engine serves (")
    assert not nowhere.exists()


def test_who_wants_it_by_all_means_is_told(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUNDSIM_NATIVE", "required")
    with pytest.raises(variants.builder().NoCompiler):
        variants.builder().build()


def test_who_wants_none_gets_none(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUNDSIM_NATIVE", "off")
    assert variants.builder().build() is None


def test_a_place_that_cannot_be_written_is_said_as_no_compiler_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "native").write_text("a file where the folder should be")
    monkeypatch.setattr(variants.builder(), "FLAGS", ("-std=c++17", "-O0"))
    with pytest.raises(variants.builder().NoCompiler, match="cannot be put into its place"):
        variants.builder().compile_into(tmp_path / "native")


def test_an_extension_of_other_sources_is_none(tmp_path: Path) -> None:
    """Of two tables of numbers that say different things one would be wrong, in silence."""
    folder = tmp_path / "sim"
    shutil.copytree(Path(sim.native.__file__).parents[1], folder, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-c", "from sim.native import missing; print(missing())"]

    def said() -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment).stdout

    assert said() == "\n"
    with (folder / "native/layout.hpp").open("a") as file:
        file.write("// newer\n")
    assert "was built from other sources than are here" in said()


def test_with_a_compiler_it_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(variants.builder(), "NATIVE", tmp_path)
    monkeypatch.setattr(variants.builder(), "FLAGS", ("-std=c++17", "-O0"))
    built = variants.builder().build()
    assert built is not None
    assert [path.name for path in tmp_path.iterdir()] == [built.name]
    assert {*vars(variants.load(built))} >= {"expand", "run"}


def test_what_cannot_be_loaded_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim.native, "walks", None)
    assert sim.native.missing().startswith("the native extension was not built")
    assert "\n" not in sim.native.missing()
