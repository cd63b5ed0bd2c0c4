"""`python -m sim.scenario` prints the JSON Schema of scenario files, for editors; `python -m sim.scenario URL` a catalogue
by which they find it at this address."""

import sys

from sim.base import printing
from sim.scenario.schema import catalogue, json_schema

printing.document(catalogue(sys.argv[1]) if sys.argv[1:] else json_schema())
