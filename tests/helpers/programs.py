"""Programs that some tests need beside Python."""

import shutil

import pytest


def needs(program: str) -> str:
    """The path of a program; without it, the test is skipped and says so."""
    return shutil.which(program) or pytest.skip(f"{program} is not installed")
