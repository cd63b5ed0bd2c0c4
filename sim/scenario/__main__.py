"""`python -m sim.scenario` prints the JSON Schema of scenario files, for editors."""

from sim.base import printing
from sim.scenario.schema import json_schema

printing.document(json_schema())
