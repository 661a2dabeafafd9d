"""What people who start a command read when something is wrong: a sentence, and no traceback."""

import ast
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.network.listen import problem
from tests.helpers.server import free_port
from tests.helpers.trashnet import ROOT

INTERNAL = {"app/photo/worker.py"}  # nobody but the photo decoder starts it


def run(*arguments: str, **environ: str | bytes) -> tuple[int, str]:
    """The exit status, and what was printed, of Python with arguments."""
    environment = {**os.environb, **{os.fsencode(k): os.fsencode(v) for k, v in environ.items()}}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False
    )
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def commands() -> list[Path]:
    """Every file of the app that can be started by itself."""
    files = [path.relative_to(ROOT) for path in sorted((ROOT / "app").rglob("*.py"))]
    return [path for path in files if "__main__" in (ROOT / path).read_text() and str(path) not in INTERNAL]


@pytest.mark.parametrize("path", commands(), ids=str)
def test_every_command_goes_through_the_door(path):
    last = ast.parse((ROOT / path).read_text()).body[-1]
    assert isinstance(last, ast.If)
    assert [ast.unparse(line).split("(")[0] for line in last.body] == ["door.run"]


FAULT = "from app import door\ndef main(): {}\ndoor.run(main, 'a test')"


def test_a_fault_that_nobody_foresaw_is_a_sentence_and_its_traceback_is_in_a_file(tmp_path):
    status, said = run("-c", FAULT.format("raise OverflowError('too much \\udcff')"), TMPDIR=str(tmp_path))
    (log,) = tmp_path.glob("whichbin-*.log")
    assert status == 1
    assert "a test ended with a fault that it does not know: OverflowError: too much" in said
    assert str(log) in said
    assert "app.doctor" in said
    assert "Traceback" not in said
    assert "Traceback" in log.read_text()


def test_a_fault_without_room_for_its_traceback():
    full = (
        "import tempfile\ndef full(*_, **__): raise OSError(28, 'No space left')\ntempfile.NamedTemporaryFile = full\n"
    )
    status, said = run("-c", full + FAULT.format("1 / 0"))
    assert status == 1
    assert "ZeroDivisionError" in said
    assert "No space left" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("ending", "status"), [("return 3", 3), ("return None", 0), ("raise KeyboardInterrupt", 130)])
def test_other_endings_leave_the_commands_own_status_and_say_nothing(ending, status):
    assert run("-c", FAULT.format(ending)) == (status, "")


def test_whoever_has_read_enough_may_go():
    script = f"{sys.executable} -m app.settings_table | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() in ("0", "1")
    assert done.stderr == ""


def test_the_servers_own_start_has_the_door(tmp_path):
    broken = "import app.services\ndef services(): raise OverflowError('no')\napp.services.services = services\n"
    status, said = run("-c", broken + "import app.main", TMPDIR=str(tmp_path))
    assert status == 1
    assert "the server's start ended with a fault" in said
    assert "Traceback" not in said
    assert len(list(tmp_path.glob("whichbin-*.log"))) == 1


@pytest.mark.parametrize("module", ["app.network.listen", "app.network.https", "app.doctor"])
@pytest.mark.parametrize("port", ["70000", "-5", "0", "abc"])
def test_a_port_that_is_none(module, port):
    status, said = run("-m", module, f"--port={port}")
    assert status == 2
    assert f"a port is a whole number from 1 to 65535; got '{port}'" in said


def test_where_a_server_cannot_listen_is_said_with_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert (
            problem("127.0.0.1", port) == f"port {port} is taken by another program: end that, or choose another port"
        )
    free = free_port()
    for good in ("", "localhost", "127.0.0.1", "0.0.0.0"):
        assert problem(good, free) == ""
    assert "198.51.100.7 is no address of this machine" in problem("198.51.100.7", free)
    for name in ("nowhere.invalid", "a..b"):
        assert f"'{name}' is no host name that is known here" in problem(name, free)


@pytest.mark.parametrize("module", ["app.network.listen", "app.network.https"])
def test_the_server_does_not_try_where_it_cannot_listen(module, tmp_path):
    more = ["--folder", str(tmp_path)] if module.endswith("https") else []
    status, said = run("-m", module, "--port", str(free_port()), "--address", "198.51.100.7", *more)
    assert status == 1
    assert re.search("^whichbin cannot .*: 198.51.100.7 is no address of this machine", said)
    assert "Traceback" not in said


def test_a_terminal_and_file_names_that_are_not_utf_8(tmp_path):
    ascii_only = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    name = os.fsencode(tmp_path) + b"/caf\xe9-\xc3\xa9.toml"
    status, said = run("-m", "app.doctor", "--port", str(free_port()), WHICHBIN_SETTINGS=name, **ascii_only)
    assert status == 1
    assert re.search(r"FIX  settings .*caf\S+\.toml: cannot be read", said)
    Path(os.fsdecode(name)).write_text("model = 'Modell-ä'\nbins = 'Tonne-ü'\n", encoding="utf-8")
    status, said = run("-m", "app.doctor", "--port", str(free_port()), WHICHBIN_SETTINGS=name, **ascii_only)
    assert status == 1
    assert "FIX  model" in said
    assert "Traceback" not in said
    assert run("-m", "app.settings_table", **ascii_only)[0] == 0
