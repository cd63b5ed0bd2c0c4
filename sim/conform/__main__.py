"""`python -m sim.conform` prints the JSON Schema of the lines of a log."""

from sim.base import printing
from sim.conform.log_schema import json_schema

printing.document(json_schema())
