"""Corrections to aiortc's behaviour, each with its reason and the version in which it was seen."""
