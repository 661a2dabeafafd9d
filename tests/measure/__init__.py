"""Figures of the README, measured by hand: each module is a command."""
