"""The task list of a path: which files, which lines have to follow, what is opened, what is there already."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sim.surface.compare import compare
from sim.surface.read import read
from sim.surface.renames import parse_rename
from sim.surface.sites import CallSite
from sim.surface.tasks import TaskList, task_list
from sim.surface.trees import Tree

Files = Mapping[str, str]

OPTIONS = "pub struct Options { pub home: String }\nimpl Options { pub fn new(home: String) -> Options { todo!() } }\n"
SERVER = "fn save(t: Tokens) {}\nstruct Tokens { id: String }\n"
OLD: Files = {
    "login/Cargo.toml": '[package]\nname = "codex-login"\n',
    "login/src/lib.rs": "pub mod server;",
    "login/src/server.rs": OPTIONS + SERVER,
    "cli/src/main.rs": """use login::server::Options;
// Options::new in a comment
fn main() {
    let text = "Options::new";
    let o = Options::new(home());
}
#[cfg(test)]
mod tests {
    fn t() { let o = Options { home: h() }; }
}
""",
    "login/tests/suite.rs": "fn a() { Options { home: h() }; }\nfn b() { let o = Options {\n home: h() }; }\n",
    "store/Cargo.toml": '[package]\nname = "codex-store"\n',
    "store/src/lib.rs": "pub struct Store;",
}
NEW: Files = {
    **OLD,
    "login/Cargo.toml": OLD["login/Cargo.toml"] + '[dependencies]\ncodex-store = "1"\n',
    "login/src/lib.rs": "pub mod server; pub mod device;",
    "login/src/server.rs": "pub struct Options { pub home: String, pub mode: u8 }\n"
    "impl Options { pub fn new(home: String, mode: u8) -> Options { todo!() } }\n"
    "pub(crate) fn save(t: Tokens) {}\npub(crate) struct Tokens { pub id: String }\n",
    "login/src/device.rs": "use codex_store::Store;\nuse crate::server::{save, Options, Tokens};\n"
    "pub fn run(o: Options) {\n    wait(Store);\n    save(todo!())\n}\nfn wait(s: Store) {\n}\n",
}


def _tree(files: Files, label: str) -> Tree:
    return Tree(label, "", {name: text.encode() for name, text in files.items()}, ())


def _listed(old: Files, new: Files, *names: str, renames: tuple[str, ...] = ()) -> TaskList:
    first, second = _tree(old, "old"), _tree(new, "new")
    only = ["login/src/*"]
    comparison = compare(read(first, only, names), read(second, only, names), [parse_rename(r) for r in renames])
    found = task_list([comparison], names, "pub", first)
    assert found is not None
    return found


def _said(sites: tuple[CallSite, ...]) -> list[str]:
    return [f"{site.place}{' test' if site.test else ''}" for site in sites]


def test_each_step_says_its_file_its_size_and_the_lines_that_have_to_follow() -> None:
    tasks = {task.step.items[0].name: task for task in _listed(OLD, NEW, "run").tasks}
    assert {name: (task.files, task.step.lines) for name, task in tasks.items()} == {
        "Options": (("login/src/server.rs",), 2),
        "Tokens": (("login/src/server.rs",), 1),
        "save": (("login/src/server.rs",), 1),
        "wait": (("login/src/device.rs",), 2),
        "run": (("login/src/device.rs",), 4),
    }
    assert _said(tasks["Options"].sites) == [
        "cli/src/main.rs:5",
        "cli/src/main.rs:9 test",
        "login/tests/suite.rs:1 test",
        "login/tests/suite.rs:2 test",
    ]
    listed = _listed(OLD, NEW, "run")
    assert (listed.lines("bring"), listed.lines("change")) == (6, 4)


@pytest.mark.parametrize(
    "line", ["// Options::new(home())", '"Options::new(home())"', "use a::Options::new;", "Opt::new(home())"]
)
def test_what_only_looks_like_a_use_is_none_and_a_planted_one_is(line: str) -> None:
    def sites(more: str) -> int:
        planted = {**OLD, "cli/src/other.rs": f"fn f() {{\n{more}\n}}\n"}
        return sum(len(task.sites) for task in _listed(planted, NEW, "run").tasks)

    assert sites(line) == sites("")
    assert sites(f"{line}\nOptions::new(home());") == sites("") + 1


@pytest.mark.parametrize(
    ("old", "new", "uses"),
    [
        ("pub fn go(x: u8) {}", "pub fn go() {}", "go(1)"),
        ("pub const GO: u8 = 1;", "pub const GO: u16 = 1;", "GO + 1"),
        (
            "pub struct S; impl S { pub fn go(&self) {} }",
            "pub struct S; impl S { pub fn go(&self, x: u8) {} }",
            "s.go()",
        ),
        ("pub struct S { pub go: u8 }", "pub struct S { pub go: u16 }", "s.go = 1"),
        ("pub enum S { Go }", "pub enum S { Go(u8) }", "S::Go"),
    ],
    ids=["function", "constant", "method", "field", "variant"],
)
def test_every_kind_of_use_is_found(old: str, new: str, uses: str) -> None:
    files = {"login/src/lib.rs": old, "cli/src/main.rs": f"fn main() {{\n    let s: S = {uses};\n}}\n"}
    named = "go" if "go" in old else "GO" if "GO" in old else "Go"
    tasks = _listed(files, {"login/src/lib.rs": new}, named).tasks
    assert [site for task in tasks for site in _said(task.sites) if "main" in site] == ["cli/src/main.rs:2"]


def _sites(old: str, new: str, name: str, **files: str) -> list[str]:
    tree = {"login/src/lib.rs": old, **{f"cli/src/{file}.rs": text for file, text in files.items()}}
    return [line for task in _listed(tree, {"login/src/lib.rs": new}, name).tasks for line in _said(task.sites)]


def test_the_definition_itself_is_no_use() -> None:
    assert _sites("pub fn go(x: u8) {}", "pub fn go() {}", "go") == []
    assert _sites("pub fn go(x: u8) { go(x) }", "pub fn go() {}", "go") == ["login/src/lib.rs:1"]


def test_only_a_method_of_a_value_is_found_behind_a_dot_and_only_where_its_type_is_named() -> None:
    free = "pub struct S; impl S { pub fn go(x: u8) {} }"
    bound = free.replace("x: u8", "&self, x: u8")
    use = {"near": "fn f(s: S) { s.go() }", "far": "fn f(s: T) { s.go() }"}
    assert _sites(free, free.replace("x: u8", ""), "go", **use) == []
    assert _sites(bound, bound.replace(", x: u8", ""), "go", **use) == ["cli/src/near.rs:1"]


def test_lines_are_counted_through_comments_and_texts_of_several_lines() -> None:
    text = 'fn f() {\n/* one\ntwo */\nlet s = "\n\n";\n/* go(1) */ go(1);\n}'
    assert _sites("pub fn go(x: u8) {}", "pub fn go() {}", "go", main=text) == ["cli/src/main.rs:7"]


def test_a_use_is_a_tests_up_to_the_end_of_its_module() -> None:
    test = "#[cfg(test)]\nmod tests {\n fn t() { if x { go(1) } }\n fn u() { go(2) }\n}\n"
    text = f"fn f() {{ go(0) }}\n{test}fn g() {{ go(3) }}\n"
    assert _sites("pub fn go(x: u8) {}", "pub fn go() {}", "go", main=text) == [
        "cli/src/main.rs:1",
        "cli/src/main.rs:4 test",
        "cli/src/main.rs:5 test",
        "cli/src/main.rs:7",
    ]


def test_uses_in_python_are_found_by_the_same_rules() -> None:
    use = "from m import (\n    go,\n)\n# go(1)\n'go(2)'\ngo(3)\n"
    old = {"login/src/m.py": "def go(x): ...", "cli/use.py": use}
    (task,) = _listed(old, {"login/src/m.py": "def go(): ..."}, "go").tasks
    assert _said(task.sites) == ["cli/use.py:6"]


def test_a_change_that_breaks_nothing_has_no_line_that_follows() -> None:
    free = {"login/src/lib.rs": "pub fn go<T: Copy>(x: T) {}", "cli/src/main.rs": "fn main() { go(1); }"}
    tasks = _listed(free, {"login/src/lib.rs": "pub fn go<T>(x: T) {}"}, "go").tasks
    assert [task.sites for task in tasks] == [()]


def test_the_files_are_those_of_the_first_tree_with_what_each_has_to_declare() -> None:
    files = {one.name: one for one in _listed(OLD, NEW, "run").files}
    assert [name for name, one in files.items() if not one.there] == ["login/src/device.rs"]
    assert files["login/src/lib.rs"].declares == ("login/src/device.rs",)
    assert files["cli/src/main.rs"].steps == ()
    assert sorted(files) == [
        "cli/src/main.rs",
        "login/Cargo.toml",
        "login/src/device.rs",
        "login/src/lib.rs",
        "login/src/server.rs",
        "login/tests/suite.rs",
    ]


def test_private_items_that_have_to_be_opened_are_named_with_their_places() -> None:
    opened = _listed(OLD, NEW, "run").opened
    assert sorted(f"{d.subject.path.rpartition('server::')[2]} {d.subject.place.line}" for d in opened) == [
        "Tokens 4",
        "Tokens::id 4",
        "save 3",
    ]
    wider = {**OLD, "login/src/server.rs": (OPTIONS + SERVER).replace("fn save", "pub(crate) fn save")}
    public = {**NEW, "login/src/server.rs": NEW["login/src/server.rs"].replace("pub(crate) fn save", "pub fn save")}
    assert "save" not in [d.subject.name for d in _listed(wider, public, "run").opened]
    open_already = {**OLD, "login/src/server.rs": NEW["login/src/server.rs"]}
    assert _listed(open_already, NEW, "run").opened == ()


def test_a_package_that_the_first_tree_holds_is_not_to_be_brought_but_to_be_depended_on() -> None:
    (needed,) = _listed(OLD, NEW, "run").packages
    assert (needed.name, needed.folder, needed.manifests) == ("codex_store", "store", ("login/Cargo.toml",))
    without = {name: text for name, text in OLD.items() if not name.startswith("store/")}
    assert [one.folder for one in _listed(without, NEW, "run").packages] == [None]
    depending = {**OLD, "login/Cargo.toml": NEW["login/Cargo.toml"]}
    assert _listed(depending, NEW, "run").packages == ()


def test_a_held_package_is_found_under_its_declared_rename() -> None:
    renamed = {name: text.replace("codex-", "code-").replace("codex_", "code_") for name, text in NEW.items()}
    (needed,) = _listed(OLD, renamed, "run", renames=("*codex*=*code*",)).packages
    assert (needed.name, needed.folder) == ("code_store", "store")


def test_the_list_is_from_the_tree_that_breaks_nothing_if_there_is_one() -> None:
    gentle = {**NEW, "login/src/server.rs": OPTIONS + NEW["login/src/server.rs"].partition("}\n")[2].partition("\n")[2]}
    first = _tree(OLD, "old")
    trees = [read(_tree(files, label), ["login/src/*"], ["run"]) for files, label in ((NEW, "hard"), (gentle, "easy"))]
    both = [compare(read(first, ["login/src/*"], ["run"]), tree) for tree in trees]
    chosen = [task_list(some, ["run"], "pub", first) for some in (both, both[:1])]
    assert [one.source for one in chosen if one] == ["easy", "hard"]
    assert task_list(both, ["nowhere"], "pub", first) is None
