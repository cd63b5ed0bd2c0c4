"""What the site has besides docs/: README.md and its like, with their links as the site needs them.

A hook of mkdocs. On the forge these files stand beside docs/, on the site they are pages like the others.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
_SOURCES = {page: source for source, page in PAGES.items()}
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)(?P<path>[^)#\s]+)")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that stand outside of docs/."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links between files of the repository become links between pages."""
    return relinked(markdown, page.file.src_uri)


def relinked(markdown: str, page: str) -> str:
    """The text of a page, in which every link to a file leads to the page that the file is."""
    here = posixpath.dirname(_SOURCES.get(page, f"docs/{page}"))

    def link(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(here, found["path"]))
        target = PAGES.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else f"/{path}")
        return posixpath.relpath(target, posixpath.dirname(page) or ".") if target[0] != "/" else found["path"]

    return _LINK.sub(link, markdown)
