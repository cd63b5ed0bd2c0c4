"""The documentation as a site: complete, without a link that leads nowhere, readable without any network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

import sim
from tests.site_pages import PAGES, relinked

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCES = {
    **{ROOT / source: page for source, page in PAGES.items()},
    **{path: path.relative_to(DOCS).as_posix().replace("README", "index") for path in sorted(DOCS.rglob("*.md"))},
}
"""File of the repository -> the page that it is on the site."""


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def foreign(page: str) -> list[str]:
    """What a browser would fetch from elsewhere when it opens a page."""
    fetched = re.findall(r"<(?:script|img|iframe|source)\b[^>]*?\bsrc=\"([^\"]*)\"", page)
    fetched += re.findall(r"<link\b[^>]*?\bhref=\"([^\"]*)\"", page)
    fetched += re.findall(r"url\(\"?([^)\"]*)", page)
    return [url for url in fetched if re.match(r"(\w+:)?//", url)]


def shapes(html: str) -> Counter[str]:
    """How often each of the elements occurs that Markdown makes of a text's layout."""
    return Counter(re.findall(r"<(h[1-6]|li|ol|ul|table|tr|blockquote|pre)\b", html))


def article(page: str) -> str:
    found = re.search(r"<article [^>]*>(.*)</article>", page, re.S)
    assert found is not None
    return found[1]


def test_every_page_is_there_and_fetches_nothing_from_elsewhere(site: Path) -> None:
    pages = {path.relative_to(site).with_suffix(".md").as_posix(): path for path in site.rglob("*.html")}
    assert {*SOURCES.values()} == {*pages} - {"404.md"}
    assert {name: found for name, path in pages.items() if (found := foreign(path.read_text("utf-8")))} == {}


def test_what_a_page_would_fetch_is_caught() -> None:
    assert foreign('<link rel="stylesheet" href="https://fonts.example/a.css">') == ["https://fonts.example/a.css"]
    assert foreign('<script async src="//cdn.example/a.js"></script>') == ["//cdn.example/a.js"]
    assert foreign("<style>@font-face{src:url(https://fonts.example/a)}</style>") == ["https://fonts.example/a"]
    assert foreign('<a href="https://tool.example">x</a><script src="assets/a.js"></script>') == []


@pytest.mark.parametrize("source", [path for path in SOURCES if path.name != "api.md"], ids=lambda path: path.name)
def test_the_site_lays_a_page_out_as_the_forge_does(source: Path, site: Path) -> None:
    """Their dialects of Markdown differ: a list right after a sentence is a list on one of them only."""
    forge = MarkdownIt("commonmark").enable("table").render(source.read_text("utf-8"))
    page = (site / SOURCES[source]).with_suffix(".html").read_text("utf-8")
    assert shapes(article(page)) == shapes(forge)


NOWHERE = ("nowhere.md", "models.md#nothing", "#nothing", "../models/paxos", "/models.md")


def test_links_that_lead_nowhere_and_a_page_that_nobody_comes_to_are_errors(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("# Home\n\n" + " ".join(f"[x]({link})" for link in NOWHERE))
    (docs / "models.md").write_text("# Models\n")
    (docs / "forgotten.md").write_text("# Forgotten\n")
    config = tmp_path / "mkdocs.yml"
    config.write_text(f"INHERIT: {ROOT / 'mkdocs.yml'}\ndocs_dir: {docs}\nhooks: []\nnav: [index.md, models.md]\n")
    done = build(config, tmp_path / "site")
    assert done.returncode == 1
    for link in NOWHERE:
        assert f"'{link}'" in done.stderr
    assert "- forgotten.md" in done.stderr


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("index.md", "docs/guide/ci.md", "guide/ci.md"),
        ("index.md", "docs/reference.md#command-line", "reference.md#command-line"),
        ("contributing.md", "SECURITY.md", "security.md"),
        ("releasing.md", "../CHANGELOG.md#020", "changelog.md#020"),
        ("guide/ci.md", "../../README.md", "../index.md"),
        ("guide/ci.md", "scale-out.md", "scale-out.md"),
        ("index.md", "https://tool.example/docs/x.md", "https://tool.example/docs/x.md"),
        ("index.md", "#install", "#install"),
    ],
)
def test_a_link_between_files_is_one_between_pages(page: str, link: str, expected: str) -> None:
    assert relinked(f"see [x]({link}).", page) == f"see [x]({expected})."


def unnamed(page: str) -> tuple[list[str], list[str]]:
    """The public names that the page leaves out, and what it has too much."""
    told = Counter(re.findall(r"^::: sim\.(\w+)$", page, re.M))
    return sorted({*sim.__all__} - {*told}), sorted((told - Counter(sim.__all__)).elements())


def test_every_public_name_is_on_its_page_once() -> None:
    assert unnamed((DOCS / "api.md").read_text("utf-8")) == ([], [])


def test_a_public_name_that_is_left_out_or_made_up_is_caught() -> None:
    page = (DOCS / "api.md").read_text("utf-8")
    assert unnamed(page.replace("::: sim.check\n", "")) == (["check"], [])
    assert unnamed(page.replace("::: sim.check\n", "::: sim.checks\n")) == (["check"], ["checks"])
    assert unnamed(f"{page}\n::: sim.fuzz\n") == ([], ["fuzz"])
