"""`python -m sim.faults` prints the table of faults as docs/faults.md shows it."""

from sim.base import printing
from sim.faults.catalogue import markdown

printing.document(markdown())
