"""Corrections to how aiortc and aioice behave, each with its reason and the version in which it was seen."""
