"""The house rules that a program can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.trashnet import ROOT

SOURCES = [path for folder in ("app", "model", "training", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]

COLLECT = """
import sys, pytest
print(int(pytest.main(["-m", "unit", "--collect-only", "-q", "-p", "no:cacheprovider"])), "tensorflow" in sys.modules)
"""


def imported(path: Path) -> set[str]:
    """Top-level names of all that a file imports, at any depth."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("app", {"training", "tests", "tensorflow", "keras"}),
        ("app/stream", {"streamlit", "streamlit_webrtc"}),
        ("model", {"app", "training", "tests", "tensorflow", "keras", "streamlit", "av"}),
        ("training", {"app", "tests", "streamlit", "av"}),
    ],
)
def test_imports_point_one_way(folder, forbidden):
    for path in (ROOT / folder).rglob("*.py"):
        assert not imported(path) & forbidden, path


# What each room of app/ may import of other rooms, or of single modules in them, the lowest first.
ROOMS = {
    "door": [],
    "settings": [],
    "settings_table": ["door", "settings"],
    "look": [],
    "advice": ["look", "model"],
    "stream": ["advice.caption", "advice.verdict", "look", "model"],
    "photo": ["advice", "look", "model"],
    "answers": ["advice", "look"],
    "kiosk": ["advice", "look"],
    "network": ["door", "settings", "stream.engine", "stream.metrics"],
    "views": ["advice", "answers", "kiosk", "look", "model", "network", "photo", "services", "settings", "stream"],
}
WIRING = {"doctor", "main", "navigation", "services"}


def modules_of(path: Path) -> set[str]:
    """Dotted names of the modules of app/ and model/ that a file imports: "stream.engine" for app.stream.engine."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            names |= {
                each if (ROOT / each.replace(".", "/")).with_suffix(".py").exists() or is_package(each) else node.module
                for each in (f"{node.module}.{alias.name}" for alias in node.names)
            }
    return {name.removeprefix("app.") for name in names if name.split(".")[0] in ("app", "model")}


def is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/") / "__init__.py").exists()


def room_files(room: str) -> list[Path]:
    folder = ROOT / "app" / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_what_is_below_them(room):
    allowed = [room, *ROOMS[room]]
    for path in room_files(room):
        for module in modules_of(path):
            within = any(module == name or module.startswith(f"{name}.") for name in allowed)
            assert within, f"{path.relative_to(ROOT)} imports {module}"


def test_every_room_has_its_law_and_nothing_but_the_wiring_is_free_of_it():
    there = {path.stem for path in (ROOT / "app").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert there - {"__init__"} == set(ROOMS) | WIRING
    for path in (ROOT / "app").rglob("*.py"):
        if any(module.split(".")[0] == "views" for module in modules_of(path)):
            assert path.relative_to(ROOT / "app").parts[0] in ("views", "main.py", "navigation.py"), path


def test_the_rooms_below_services_form_no_circle():
    order = list(ROOMS)
    for room, names in ROOMS.items():
        for other in {name.split(".")[0] for name in names} - {"model", "services"}:
            assert order.index(other) < order.index(room), f"{room} stands below {other}"


def test_every_package_says_in_one_sentence_what_it_is():
    for folder in ("app", "model", "training", "tests"):
        for path in (ROOT / folder).rglob("__init__.py"):
            said = ast.get_docstring(ast.parse(path.read_text()))
            assert said, path
            assert said.split("\n\n")[0].endswith("."), path


def test_tests_import_only_from_helpers():
    """What a second file needs goes to tests/helpers; what a second test needs as a fixture goes to a conftest.py."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = []
            if isinstance(node, ast.Import):
                named = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                named = [f"{node.module}.{alias.name}" for alias in node.names]
            parts = {part for name in named for part in name.split(".")}
            assert not [part for part in parts if part.startswith("test_") or part == "conftest"], path


def test_the_unit_tests_do_not_import_tensorflow():
    command = [sys.executable, "-c", COLLECT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0 False", done.stdout


def test_files_stay_small():
    for path in SOURCES:
        assert len(path.read_text().splitlines()) <= 310, path


def test_the_app_installs_without_tensorflow():
    needs = (ROOT / "requirements.txt").read_text().lower()
    assert not re.search(r"^(tensorflow|keras)", needs, re.MULTILINE)


@pytest.mark.parametrize("name", ["requirements.txt", "training/requirements.txt", "tests/requirements.txt"])
def test_every_requirement_is_bounded(name):
    for line in (ROOT / name).read_text().splitlines():
        if line and not line.startswith(("#", "-r ")):
            assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+\*", line), line


def test_no_folder_that_streamlit_would_run_pages_from_by_itself():
    """A visitor who opens /photo first would get the bare script, without header and navigation."""
    assert not (ROOT / "app" / "pages").exists()
