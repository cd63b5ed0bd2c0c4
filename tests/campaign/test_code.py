"""The user's modules: which they are, that a change is seen, and that a worker imports them from their texts."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from sim.base.errors import ConfigError
from sim.campaign import code
from sim.campaign.code import code_of, engine_digest, install
from sim.scenario.models import import_model
from tests.campaign.toys import forget_dice, sim_json, write_toy

MODEL = "from dice import system as dice\n\n\ndef system():\n    return dice()\n"


def names(model: str) -> list[str]:
    return sorted(module.name for module in code_of(model).modules)


def test_the_modules_of_the_users_own_are_those_it_imports_from_its_folder(here: Path) -> None:
    import_model("dice", ("dice",))
    (here / "unrelated.py").write_text("")
    assert names("dice") == ["dice", "numbers_of_the_dealer"]


def test_what_is_ours_or_installed_is_not_sent(here: Path) -> None:
    import_model("models.consensus")
    assert names("models.consensus") == []
    (here / "mine_much.py").write_text(f"import json, numpy, sim, models.paxos\n{MODEL}")
    import_model("mine_much", ("mine_much",))
    assert names("mine_much") == ["dice", "mine_much", "numbers_of_the_dealer"]


def test_packages_relative_imports_and_imports_inside_functions_are_followed(here: Path) -> None:
    package = here / "mine_package"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "deep" / "__init__.py").write_text("from .. import limits\n")
    (package / "limits.py").write_text("LIMIT = 1\n")
    (package / "late.py").write_text("from dice import system\n")
    (package / "deep" / "model.py").write_text(
        "from ..limits import LIMIT\nfrom . import __doc__\n\n\n"
        "def system():\n    from mine_package.late import system\n    return system()\n"
    )
    import_model("mine_package.deep.model", ("mine_package.deep.model",))
    assert names("mine_package.deep.model") == [
        "dice",
        "mine_package",
        "mine_package.deep",
        "mine_package.deep.model",
        "mine_package.late",
        "mine_package.limits",
        "numbers_of_the_dealer",
    ]


def test_a_model_in_a_folder_models_of_the_users_own_is_the_users(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "models", raising=False)  # else it was looked for before the folder was there
    (here / "models").mkdir()
    (here / "models" / "mine_too.py").write_text("import models.paxos\nfrom .mine_else import system\n")
    (here / "models" / "mine_else.py").write_text("def system(): ...\n")
    import_model("models.mine_too", ("models.mine_too",))
    assert names("models.mine_too") == ["models.mine_else", "models.mine_too"]
    for name in ("models.mine_too", "models.mine_else"):
        del sys.modules[name]


def test_the_digest_is_of_the_code_and_of_nothing_else(here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    import_model("dice", ("dice",))
    first = code_of("dice")
    (here / "unrelated.py").write_text("x = 1\n")
    assert code_of("dice").digest == first.digest
    (here / "numbers_of_the_dealer.py").write_text("NUMBERS = (1, 2)\n")
    assert code_of("dice").digest != first.digest
    assert code_of("dice").engine == first.engine == engine_digest()


def test_a_worker_imports_the_texts_and_not_the_files(here: Path) -> None:
    import_model("dice", ("dice",))
    ours = code_of("dice")
    (here / "numbers_of_the_dealer.py").write_text("NUMBERS = (7,)\n")
    install(ours)
    assert importlib.import_module("dice").NUMBERS == (1, 2, 3, 4)
    (here / "dice.py").unlink()
    sys.modules.pop("dice")
    assert importlib.import_module("dice").__file__ == str(here / "dice.py"), "errors name the user's own file"
    texts = (module._replace(text=module.text.replace("1, 2, 3, 4", "9, 8")) for module in ours.modules)
    edited = ours._replace(modules=tuple(texts))
    install(edited)
    assert importlib.import_module("dice").NUMBERS == (9, 8), "and a later code replaces an earlier one"
    assert sum(isinstance(finder, code._Texts) for finder in sys.meta_path) == 1
    forget_dice()


def test_a_worker_with_another_roundsim_says_so(here: Path) -> None:
    import_model("dice", ("dice",))
    with pytest.raises(ConfigError, match="this worker has a different roundsim than the campaign"):
        install(code_of("dice")._replace(engine="another"))


def test_a_campaign_of_a_package_in_a_folder_without_init_works(tmp_path: Path) -> None:
    write_toy(tmp_path)
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "model.py").write_text(MODEL)
    status, data = sim_json(tmp_path, "fuzz", "space.model", "--workers", "1", "--keep-going", "--schedules", "50")
    assert (status, data["schedules"], data["deaths"]) == (1, 50, 0)


def test_a_package_without_init_reaches_a_worker_that_has_none_of_its_files(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "mine_space" / "deep").mkdir(parents=True)
    (here / "mine_space" / "deep" / "model.py").write_text(MODEL)
    name = "mine_space.deep.model"
    import_model(name, (name,))
    ours = code_of(name)
    assert names(name) == ["dice", "mine_space", "mine_space.deep", name, "numbers_of_the_dealer"]
    monkeypatch.chdir("/")
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if entry not in ("", str(here))])
    without = ours._replace(modules=tuple(module for module in ours.modules if not module.is_namespace))
    for told, is_found in ((without, False), (ours, True)):
        install(told)
        for module in [module for module in sys.modules if module.startswith("mine_space")]:
            del sys.modules[module]
        if is_found:
            assert importlib.import_module(name).dice
        else:
            with pytest.raises(ModuleNotFoundError, match="mine_space"):
                importlib.import_module(name)
    forget_dice()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def (", "import mine_odd"),
        ("x = 1\0", "import mine_odd"),
        ("raise RuntimeError('no')", "from mine_odd import x"),
        ("raise SystemExit(5)", "from mine_odd.x import y"),
    ],
)
def test_a_module_that_is_named_but_cannot_be_imported_hinders_nothing(text: str, words: str, here: Path) -> None:
    (here / "mine_odd").mkdir()
    (here / "mine_odd" / "__init__.py").write_text(text)
    (here / "mine_much.py").write_text(f"{MODEL}\n\ndef never():\n    {words}\n")
    import_model("mine_much", ("mine_much",))
    assert names("mine_much") == ["dice", "mine_much", "mine_odd", "numbers_of_the_dealer"]


def test_a_model_listed_in_pyproject_reaches_the_workers_from_a_folder_below(tmp_path: Path) -> None:
    write_toy(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.roundsim]\nmodels = ["dice"]\n')
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "play.yaml").write_text("model: dice\nnetwork: any\nexpect: {verdict: violated}\n")
    status, data = sim_json(inner, "fuzz", "play.yaml", "--workers", "1", "--schedules", "50")
    assert (status, data["as_expected"], data["session"]["model"]) == (0, True, "dice")
    assert (tmp_path / ".sim" / "sessions.sqlite").exists()
    (inner / "play.yaml").unlink()
    status, data = sim_json(inner, "status", "1")
    assert (status, data["target"]) == (0, "play.yaml"), "the text of the file is kept"
