"""The one door of the training's commands, and the weights that a network starts from."""

import errno
import http.server
import io
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.trashnet import ROOT
from training.errors import TrainingError, run_command
from training.network import starting_weights as module
from training.network.starting_weights import HDF5_START, starting_weights


def raises(error: BaseException) -> None:
    raise error


def said_of(error: BaseException, capsys, monkeypatch, *words: str) -> tuple[object, str]:
    """The exit status of a command that ends in an error, and what it says on stderr."""
    monkeypatch.setattr(sys, "argv", ["training.some", *words])
    with pytest.raises(SystemExit) as stopped:
        run_command(lambda: raises(error))
    return stopped.value.code, capsys.readouterr().err


class TestDoor:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (TrainingError("photos: no such folder"), "error: photos: no such folder"),
            (OSError(errno.ENOSPC, "No space left on device", "out/x.npy"),
             "error: out/x.npy: No space left on device; free some space and start the same command again"),
            (PermissionError(errno.EACCES, "Permission denied", "out"),
             "error: out: Permission denied; change its permissions, or give another place"),
            (FileExistsError(errno.EEXIST, "File exists", "out"),
             "error: out: File exists; look whether the place is right"),
            (ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow"),
             "error: the package tensorflow is not installed; run `make setup-training` once, which installs it"),
            (MemoryError(), "error: there is not enough memory for this"),
        ],
    )  # fmt: skip
    def test_what_a_person_can_mend_is_one_line_with_what_to_do(self, error, said, capsys, monkeypatch):
        status, printed = said_of(error, capsys, monkeypatch)
        assert status == 2
        assert printed.startswith(said)
        assert len(printed.splitlines()) == 1

    def test_the_unexpected_is_one_line_too_and_its_details_are_in_a_file(self, capsys, monkeypatch, tmp_path):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        status, printed = said_of(KeyError("caf\udce9"), capsys, monkeypatch, "--data", "d")
        (log,) = tmp_path.iterdir()
        assert status == 1
        assert re.fullmatch(r"error: this should not have happened \(KeyError: .*\); please report it, .*\n", printed)
        assert str(log) in printed
        details = log.read_text()
        assert details.startswith("training.some --data d\n")
        assert "in raises" in details
        # Where nothing can be written, it says how to see them
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
        assert "with --debug to see where" in said_of(KeyError("x"), capsys, monkeypatch)[1]

    @pytest.mark.parametrize(("error", "status"), [(KeyError("x"), 1), (TrainingError("y"), 2)])
    def test_debug_shows_where(self, error, status, capsys, monkeypatch, tmp_path):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        got, printed = said_of(error, capsys, monkeypatch, "--debug")
        assert got == status
        assert "Traceback" in printed
        assert "in raises" in printed
        assert not list(tmp_path.iterdir())

    def test_every_command_goes_through_it(self):
        commands = [path for path in (ROOT / "training").glob("*.py") if "__main__" in path.read_text()]
        assert len(commands) == 6
        for path in commands:
            assert path.read_text().endswith('if __name__ == "__main__":\n    run_command(main)\n'), path

    def test_an_interrupt_shows_no_traceback_and_keeps_its_status(self):
        program = (
            "import os, signal\nfrom training.errors import run_command\n"
            "run_command(lambda: os.kill(os.getpid(), signal.SIGINT))"
        )
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
        assert done.stderr == "\nstopped\n"
        assert done.returncode == -2

    def test_no_name_is_too_odd_to_be_printed(self, monkeypatch):
        out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        monkeypatch.setattr(sys, "stdout", out)
        run_command(lambda: print("caf\udce9, café"))
        out.flush()
        assert out.buffer.getvalue() == b"caf\\udce9, caf\\xe9\n"

    def test_a_reader_that_has_seen_enough_is_no_error(self):
        program = "from training.errors import run_command\nrun_command(lambda: [print(n) for n in range(99999)])"
        with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as running:  # fmt: skip
            assert running.stdout.readline() == b"0\n"
            running.stdout.close()
            assert running.stderr.read() == b""


@pytest.fixture
def keras_home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


class Weights(http.server.BaseHTTPRequestHandler):
    """Answers with the content that stands for an address, and counts the requests."""

    content: bytes | None = None
    requests = 0

    def do_GET(self):
        type(self).requests += 1
        self.send_response(404 if self.content is None else 200)
        self.send_header("Content-Length", str(len(self.content or b"")))
        self.end_headers()
        self.wfile.write((self.content or b"").removesuffix(b"CUT"))

    def log_message(self, *_):
        pass


@pytest.fixture
def site(monkeypatch) -> Iterator[type[Weights]]:
    """The site of the starting weights, on this machine."""
    handler = type("Handler", (Weights,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/weights_{{size}}.h5"
        monkeypatch.setattr(module, "IMAGENET_URL", address)
        yield handler
        server.shutdown()


class TestStartingWeights:
    def test_they_are_downloaded_once(self, keras_home, site):
        site.content = HDF5_START + b"and more"
        for _ in range(2):
            assert starting_weights("imagenet", 160) == keras_home / "models" / "weights_160.h5"
        assert (keras_home / "models" / "weights_160.h5").read_bytes() == site.content
        assert site.requests == 1
        # There are none for other sizes, and those for 224 pixels fit
        assert starting_weights("imagenet", 100) == keras_home / "models" / "weights_224.h5"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "cannot be downloaded"),
            (b"<html>log in to the hotel</html>", "were not what came"),
            (HDF5_START + b"cut shortCUT", "cannot be downloaded"),
        ],
    )
    def test_a_failed_download_says_what_to_give_and_leaves_nothing(self, content, said, keras_home, site):
        site.content = content
        with pytest.raises(TrainingError) as raised:
            starting_weights("imagenet", 224)
        assert said in str(raised.value)
        assert re.search(r"download http://\S+/weights_224.h5 on any machine.* --weights FILE", str(raised.value))
        assert not list((keras_home / "models").iterdir())

    def test_a_file_is_looked_at_and_none_is_none(self, tmp_path):
        (tmp_path / "good.h5").write_bytes(HDF5_START + b"...")
        (tmp_path / "page.h5").write_text("<html>")
        assert starting_weights(str(tmp_path / "good.h5"), 224) == tmp_path / "good.h5"
        assert starting_weights("none", 224) is None
        for name, said in (("page.h5", "is no weights file"), ("gone.h5", "no such weights"), ("", "is a folder")):
            with pytest.raises(TrainingError, match=rf"--weights \S+: {said}.*--weights FILE"):
                starting_weights(str(tmp_path / name), 224)
