"""Looks for what keeps the app from working on this machine, and says what to do about it: `python -m app.doctor`.

Each check gets one line. The exit status is 1 if something has to be done. The app need not be running, and is not
disturbed if it is.
"""

import argparse
import asyncio
import http.client
import ipaddress
import logging
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from aioice import stun, turn
from aiortc.rtcicetransport import parse_stun_turn_uri

from app import door
from app.advice.bins import RulesError, load_rules
from app.advice.languages import LanguageError, languages
from app.answers.counts import Counts, CountsError
from app.network.https import own_certificate
from app.network.ice import IceServers, ProviderError, Server, check, fetch
from app.network.listen import PORT, port_number
from app.services import counts_path, rules_path
from app.settings import Settings, SettingsError, load_settings
from model import ArtifactError, Classifier

WAIT_S = 4.0  # how long an answer of a STUN or TURN server may take
TRIES = 4  # of a STUN request, in that time: UDP loses packets


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: What was looked at, in one word.
        good: Whether all is well with it.
        text: What is there or, if all is not well, what to do about it.
    """

    check: str
    good: bool
    text: str


def check_all(url: str, port: int) -> Iterator[Finding]:
    """Carry out every check.

    Args:
        url: What visitors open.
        port: Where the server listens, or will listen.

    Yields:
        Each finding as soon as it is known. After settings that cannot be used there are no more.
    """
    yield camera_origin(url)
    yield from ports([("0.0.0.0", port)])
    try:
        settings = load_settings()
        check(settings)
    except SettingsError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, os.environ.get("WHICHBIN_SETTINGS") or "no mistake found")
    if settings.metrics_port:
        yield from ports([(settings.metrics_address, settings.metrics_port)])
    yield from ice_servers(settings)
    yield from model_and_rules(settings)
    yield from language_files(settings)
    yield counts_file(settings)


def camera_origin(url: str) -> Finding:
    """Whether browsers give a camera to a page at this URL (https://w3c.github.io/webappsec-secure-contexts/)."""
    parts, host = urlsplit(""), ""
    try:
        parts = urlsplit(url)  # raises ValueError at a bracket without the other
        host = parts.hostname or ""
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
    if parts.scheme not in ("http", "https") or not host:
        return Finding("camera", False, f"{url!r} is no address like https://bin.example.org; give one with --url")
    if parts.scheme == "https" or local:
        return Finding("camera", True, f"browsers give a camera to {url}")
    return Finding(
        "camera", False, f"browsers give no camera to {url}: use make run HTTPS=1, or a proxy with HTTPS before it"
    )


def ports(places: list[tuple[str, int]]) -> Iterator[Finding]:
    """Whether a server can listen at these addresses and ports, or is ours and does already."""
    for address, port in places:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                finding = Finding("port", True, f"{port} is free")
            except OSError as error:
                if _answers(port):
                    finding = Finding("port", True, f"{port}: a server answers there already; this one, if it runs")
                else:
                    reason = f"{port} cannot be used at {address} ({error.strerror}): choose another"
                    finding = Finding("port", False, reason)
        yield finding


def _answers(port: int) -> bool:
    """Whether Streamlit, or our figures for Prometheus, answer at a port of this machine, with or without HTTPS."""
    unverified = ssl._create_unverified_context()  # the server is this machine's, and it is told no secret
    for connection in (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=1, context=unverified),
        http.client.HTTPConnection("127.0.0.1", port, timeout=1),
    ):
        for path in ("/_stcore/health", "/metrics"):
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                continue
            if answer.status == 200 and (body == b"ok" or b"whichbin_" in body):
                connection.close()
                return True
        connection.close()
    return False


def ice_servers(settings: Settings) -> Iterator[Finding]:
    """Ask each STUN server for a binding, and each TURN server for an allocation with fresh credentials."""
    servers: list[Server] = []
    if settings.turn_provider:
        try:
            servers = fetch(settings)
            yield Finding("ice", True, f"{settings.turn_provider} gave credentials")
        except ProviderError as error:
            yield Finding("ice", False, f"{error}; check turn_account and turn_token, and the way to the internet")
    here = replace(settings, turn_provider="", turn_account="", turn_token="")  # a provider would start a thread
    servers += IceServers(here).rtc_configuration()["iceServers"]
    if not servers and not settings.turn_provider:
        yield Finding("ice", True, "no STUN or TURN server is set; none is needed on one network")
    for server in servers:
        urls = server["urls"]
        for address in [urls] if isinstance(urls, str) else urls:
            problem, good = ask(address, server)
            yield Finding("ice", not problem, f"{address} {problem or good}")


def ask(address: str, server: Server) -> tuple[str, str]:
    """Ask one STUN or TURN server.

    Args:
        address: Such as "stun:host:3478" or "turn:host:3478?transport=tcp".
        server: The RTCIceServer that the address is from, with `username` and `credential` for TURN.

    Returns:
        What is wrong with it and an empty string, or an empty string and what it answered.
    """
    parsed = parse_stun_turn_uri(address)
    where = f"port {parsed['port']}/{parsed.get('transport', 'udp')}"
    silent = f"does not answer in {WAIT_S:.0f} s: is it running, and {where} open in every firewall?"
    try:
        if parsed["scheme"] == "stun":
            return "", f"sees this machine as {_bind(parsed['host'], parsed['port'])}"
        return "", f"relays from {asyncio.run(_allocate(parsed, server))}"
    except TimeoutError:
        return silent, ""
    except (socket.gaierror, UnicodeError):  # no such name; no name can be written like that
        return "is no host name that is known here", ""
    except stun.TransactionFailed as error:
        if error.response.error_code == 401:
            return "refuses the credentials: compare turn_secret, or name and credential, and both clocks", ""
        return f"refuses ({error}): see its log", ""
    except stun.TransactionTimeout:
        return silent, ""
    except ValueError:
        return f"answers, but not as a STUN or TURN server: is it the right one for {where}?", ""
    except OSError as error:
        return f"cannot be reached ({error}): is it running, and {where} open in every firewall?", ""


def _bind(host: str, port: int) -> str:
    """Ask a STUN server for a binding (RFC 8489); return this machine's address as the server sees it."""
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.settimeout(WAIT_S / TRIES)
        for attempt in range(1, TRIES + 1):
            out.sendto(bytes(request), (host, port))
            try:
                answer = stun.parse_message(out.recv(2048))
                break
            except TimeoutError:
                if attempt == TRIES:
                    raise
    if answer.transaction_id != request.transaction_id or "XOR-MAPPED-ADDRESS" not in answer.attributes:
        raise ValueError("not an answer to this request")
    return str(answer.attributes["XOR-MAPPED-ADDRESS"][0])


class _Relay(asyncio.DatagramProtocol):
    """The relayed end of an allocation. `closed` is set when the allocation has ended."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set()


async def _allocate(parsed: dict[str, Any], server: Server) -> str:
    """Ask a TURN server for an allocation (RFC 8656), and give it back at once; return the relayed address."""
    async with asyncio.timeout(WAIT_S):
        transport, relay = await turn.create_turn_endpoint(
            _Relay,
            server_addr=(parsed["host"], parsed["port"]),
            username=server.get("username"),
            password=server.get("credential"),
            ssl=parsed["scheme"] == "turns" or None,
            transport=parsed["transport"],
        )
        address = transport.get_extra_info("sockname")[0]
        transport.close()
        await relay.closed.wait()
    return str(address)


def model_and_rules(settings: Settings) -> Iterator[Finding]:
    """Whether the model answers for a picture, and the rules can be used with its labels."""
    try:
        classifier = Classifier.load(settings.path(settings.model))
        classifier.classify(np.zeros((224, 224, 3), np.uint8))
    except ArtifactError as error:
        yield Finding("model", False, str(error))
        return
    yield Finding("model", True, f"{settings.model or 'the shipped one'}: {', '.join(classifier.labels)}")
    try:
        rules = load_rules(classifier.labels, rules_path(settings))
    except RulesError as error:
        yield Finding("rules", False, str(error))
        return
    missing = [label for label in classifier.labels if not rules.category(label).bins]
    said = f"{settings.bins or 'the default ones'}" + (f"; no bin for {', '.join(missing)}" if missing else "")
    yield Finding("rules", True, said)


def language_files(settings: Settings) -> Iterator[Finding]:
    """Whether every language is complete, and the kiosk's language is one of them."""
    try:
        codes = list(languages())
    except LanguageError as error:
        yield Finding("languages", False, str(error))
        return
    known = settings.kiosk_language in codes
    said = ", ".join(codes)
    yield Finding("languages", known, said if known else f"kiosk_language must be one of {said}")


def counts_file(settings: Settings) -> Finding:
    """Whether the file of counts can be opened or, if it is missing, made."""
    if not settings.count_answers:
        return Finding("counts", True, "answers are not counted")
    file = counts_path(settings)
    if not file.exists():
        folder = file.parent
        good = folder.is_dir() and os.access(folder, os.W_OK)
        said = f"{file} will be made" if good else f"{file} cannot be made: {folder} is not a folder to write in"
        return Finding("counts", good, said)
    try:
        Counts(file, settings.counts_days).close()
    except CountsError as error:
        return Finding("counts", False, str(error))
    return Finding("counts", True, str(file))


def main() -> int:
    """Print every finding; return the exit status: 0 if all is well, else 1."""
    parser = argparse.ArgumentParser(prog="python -m app.doctor", description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="what visitors open; default: this machine itself")
    parser.add_argument("--port", type=port_number, default=PORT)
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # Streamlit warns of being used without a server
    scheme = "https" if all(own_certificate()) else "http"
    bad = 0
    for finding in check_all(options.url or f"{scheme}://localhost:{options.port}", options.port):
        bad += not finding.good
        print(f"{'OK ' if finding.good else 'FIX'}  {finding.check:<9}  {finding.text}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    door.run(main, "app.doctor")
