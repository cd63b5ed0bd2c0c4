"""How many schedules a second, beside other tools that run asyncio code on a loop of their own.

What belongs here: two programs that know no tool, how each tool is asked to run them, and the table. `make bench-live`
installs the tools in an environment of their own. What does not: nothing of those tools is imported by anything else.
"""
