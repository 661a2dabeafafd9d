"""Running the exporter, and what it says when it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.artifact import METADATA_FILE
from tests.helpers.foreign_models import Run
from tests.helpers.tiny_training import command
from training import export


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the exporter into `tmp_path / "out"`, and gives the artifact's metadata."""

    def run_it(file: Path, *arguments: object) -> dict[str, Any]:
        command(export, monkeypatch, "--keras", file, "--out", tmp_path / "out", *arguments)
        metadata: dict[str, Any] = json.loads((tmp_path / "out" / METADATA_FILE).read_text())
        return metadata

    return run_it


@pytest.fixture
def refusal(run: Run, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the exporter on what it must refuse, and gives its one sentence."""

    def refuse(file: Path, *arguments: object) -> str:
        with pytest.raises(SystemExit) as refused:
            run(file, *(arguments or ("--labels", "a,b,c")))
        said = capsys.readouterr().err.strip().splitlines()
        assert refused.value.code == 2
        assert len(said) == 1
        assert "Traceback" not in said[0]
        return said[0]

    return refuse
