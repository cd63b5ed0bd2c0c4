"""`sim doctor`: what is installed, and what each part is for."""

from __future__ import annotations

import click

from sim.base import printing
from sim.base.errors import listing
from sim.base.folded import folded
from sim.base.marked import Meaning, marked
from sim.cli import options
from sim.cli.terminal import width_of_output


@click.command()
@options.as_json
def command(as_json: bool) -> int:
    """Say what is installed, in which version, and what each part is for. Nothing is required but Python: what is
    missing only takes away what it is for."""
    from sim.cli.installed import installed_parts

    found = installed_parts()
    if as_json:
        options.print_json({"parts": [one._asdict() for one in found]})
        return 0
    widest = max(len(one.name) for one in found)
    width = width_of_output()
    for one in found:
        mark = ("ok  ", Meaning.GOOD) if one.there else ("none", Meaning.ODD)
        said = f"{one.version}; for {one.purpose}" if one.there else f"for {one.purpose}; {one.remedy}"
        line = marked(mark, "  ", (one.name, Meaning.WHO), " " * (widest - len(one.name)), f"  {said}")
        printing.out(*folded(line, width, 6 + widest + 2))
    missing = [one.name for one in found if not one.there]
    told = (
        f"missing: {listing(missing, 'and')}; only what they are for needs them" if missing else "everything is there"
    )
    printing.out("", *folded(told, width, 2))
    return 0
