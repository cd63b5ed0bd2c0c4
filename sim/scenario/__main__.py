"""`python -m sim.scenario` prints the JSON Schema of scenario files, for editors."""

from sim.scenario.schema import json_schema

print(json_schema(), end="")
