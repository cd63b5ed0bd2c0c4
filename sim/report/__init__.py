"""Reports: what people and programs read about a run or a check.

What belongs here: text and JSON of results. What does not: deciding anything, or running anything.
"""
