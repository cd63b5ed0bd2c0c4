"""`python -m sim.faults` prints the table of faults as docs/faults.md shows it."""

from sim.faults.catalogue import markdown

print(markdown(), end="")
