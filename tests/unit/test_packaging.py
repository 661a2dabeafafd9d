"""What is written once: the dependencies, and the versions of the linters."""

import re
import tomllib

from tests.helpers.trashnet import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HOOKS = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")


def test_dependencies_are_those_of_requirements_txt():
    assert PYPROJECT["project"]["dynamic"] == ["dependencies"]
    assert not {"dependencies", "optional-dependencies"} & set(PYPROJECT["project"])
    assert PYPROJECT["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["requirements.txt"]}


def test_nothing_is_packaged():
    """Folders called app, model, training and tests would stand in for others' in a shared environment."""
    assert PYPROJECT["tool"]["setuptools"]["packages"] == []


def test_commits_are_looked_at_by_the_linters_of_make_test():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("ruff format --check", "ruff format")
    entries = re.findall(r"^ +entry: \.venv/bin/(.+)$", HOOKS, re.MULTILINE)
    assert entries == ["ruff format .", "ruff check .", "mypy"]
    for entry in entries:
        assert f"$(BIN)/{entry}" in makefile
    assert HOOKS.count("language: system") == len(entries)  # none of them brings a version of its own
    assert "rev:" not in HOOKS
