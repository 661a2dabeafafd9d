"""The figures of docs/measured.md, measured by hand: each module is a command."""
