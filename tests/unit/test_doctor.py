"""The doctor: each check with something wrong and without."""

import json
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from app import doctor
from app.answers.counts import Counts
from app.doctor import ask, camera_origin, counts_file, ice_servers, language_files, model_and_rules, ports
from app.network import ice
from app.settings import ROOT, Settings
from tests.helpers.server import free_port

CHECKS = ["camera", "port", "settings", "ice", "model", "rules", "languages", "counts"]


def run_doctor(tmp_path, text: str = "", *arguments: str) -> tuple[int, list[str]]:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    command = [sys.executable, "-m", "app.doctor", "--port", str(free_port()), *arguments]
    environ = {"WHICHBIN_SETTINGS": str(file), "PATH": "/usr/bin"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout.splitlines()


def test_all_is_well(tmp_path):
    status, lines = run_doctor(tmp_path)
    assert status == 0, lines
    assert [line.split()[:2] for line in lines] == [["OK", check] for check in CHECKS]


def test_each_trouble_is_one_line_and_none_hides_another(tmp_path):
    text = f'ice_servers = ["turn:127.0.0.1:{free_port()}?transport=tcp"]\nturn_secret = "4711-secret"\n'
    text += 'bins = "/nowhere.toml"\nkiosk_language = "xx"\ncount_answers = true\ncounts_file = "/nowhere/c.sqlite3"'
    status, lines = run_doctor(tmp_path, text, "--url", "http://192.0.2.1")
    assert status == 1
    bad = ["camera", "ice", "rules", "languages", "counts"]
    assert [line.split()[:2] for line in lines] == [["FIX" if check in bad else "OK", check] for check in CHECKS]
    assert "4711" not in "".join(lines)


def test_settings_that_cannot_be_read_end_it(tmp_path):
    status, lines = run_doctor(tmp_path, 'ice_servers = ["turn:a"]')
    assert status == 1
    assert lines[-1].startswith("FIX  settings   ice_servers: turn:a needs turn_secret")


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://bin.example.org", True),
        ("http://localhost:8501", True),
        ("http://bin.localhost", True),
        ("http://127.0.0.1:1", True),
        ("http://[::1]:8501/kiosk", True),
        ("http://192.0.2.1:8501", False),
        ("http://bin.local", False),
        ("bin.example.org", False),
        ("ftp://localhost", False),
    ],
)
def test_the_camera_needs_https_or_localhost(url, good):
    assert camera_origin(url).good is good


def test_a_port_free_taken_and_ours(server):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        free = free_port()
        found = list(ports([("0.0.0.0", free), ("0.0.0.0", taken), ("0.0.0.0", server.port)]))
    assert [finding.good for finding in found] == [True, False, True]
    assert "choose another" in found[1].text
    assert "a server answers there" in found[2].text


def test_what_is_no_stun_server():
    assert "is no host name" in ask("stun:nowhere.invalid", {})[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        address = f"stun:127.0.0.1:{other.getsockname()[1]}"

        def answer():
            _, sender = other.recvfrom(2048)
            other.sendto(b"hello", sender)

        thread = threading.Thread(target=answer)
        thread.start()
        assert "answers, but not as a STUN" in ask(address, {})[0]
        thread.join()
        assert "does not answer in 4 s" in ask(address, {})[0]


def test_a_provider_is_asked_and_its_servers_too(monkeypatch):
    settings = Settings(turn_provider="huggingface", turn_token="4711")
    monkeypatch.setattr(doctor, "fetch", lambda _: [{"urls": "turn:nowhere.invalid:80"}])
    found = list(ice_servers(settings))
    assert [finding.good for finding in found] == [True, False]
    assert found[1].text.startswith("turn:nowhere.invalid:80 is no host name")

    def refuse(_):
        raise ice.ProviderError("turn_provider huggingface gave no TURN credentials")

    monkeypatch.setattr(doctor, "fetch", refuse)
    (finding,) = ice_servers(settings)
    assert not finding.good
    assert "check turn_account and turn_token" in finding.text


def test_a_damaged_model_is_named(tmp_path):
    shutil.copytree(ROOT / "model" / "artifact", tmp_path / "model")
    with (tmp_path / "model" / "classifier.tflite").open("ab") as out:
        out.write(b"x")
    (finding,) = model_and_rules(Settings(model=str(tmp_path / "model")))
    assert not finding.good
    assert "classifier.tflite" in finding.text


def test_labels_without_a_bin_are_named(tmp_path):
    shutil.copytree(ROOT / "model" / "artifact", tmp_path / "model")
    path = tmp_path / "model" / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata["labels"][0] = "porcelain"
    path.write_text(json.dumps(metadata))
    _, rules = model_and_rules(Settings(model=str(tmp_path / "model")))
    assert rules.text == "the default ones; no bin for porcelain"


def test_languages():
    assert [finding.good for finding in language_files(Settings())] == [True]
    assert [finding.text for finding in language_files(Settings(kiosk_language="xx"))] == [
        "kiosk_language must be one of en, de, es, fr, zh"
    ]


def test_the_file_of_counts(tmp_path):
    settings = Settings(count_answers=True, counts_file=str(tmp_path / "c.sqlite3"))
    assert counts_file(settings).text.endswith("will be made")
    assert not (tmp_path / "c.sqlite3").exists()
    Counts(tmp_path / "c.sqlite3", 90).close()
    assert counts_file(settings).good
    (tmp_path / "c.sqlite3").write_text("something else, and long enough to be no database" * 20)
    assert not counts_file(settings).good
    assert not counts_file(replace(settings, counts_file="/nowhere/c.sqlite3")).good
