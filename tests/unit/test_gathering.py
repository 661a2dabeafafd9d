"""STUN and TURN servers that do not answer, and many network interfaces, do not hold up the server's own candidates."""

import asyncio
import inspect
import socket
import time

import pytest
from aioice import ice

import app.stream.track  # noqa: F401 (installs it)
from app.stream.patches.gathering import PATIENCE_S

INTERFACES = [f"127.0.0.{number}" for number in range(2, 8)]


@pytest.fixture
def silent():
    """The address of a server that takes everything and answers nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        yield server.getsockname()


def gather(monkeypatch, **servers: object) -> tuple[list[str], float]:
    """The addresses of all candidates on six interfaces, and how long they took to gather, in seconds."""
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: INTERFACES)

    async def run() -> tuple[list[str], float]:
        connection = ice.Connection(ice_controlling=False, **servers)
        begun = time.monotonic()
        await connection.gather_candidates()
        took = time.monotonic() - begun
        hosts = [candidate.host for candidate in connection.local_candidates]
        await connection.close()
        return hosts, took

    return asyncio.run(run())


@pytest.mark.parametrize("kind", ["stun", "turn"])
def test_a_silent_server_costs_little_more_than_a_second_on_six_interfaces(monkeypatch, silent, kind):
    more = {"turn_username": "somebody", "turn_password": "secret"} if kind == "turn" else {}
    hosts, took = gather(monkeypatch, **{f"{kind}_server": silent}, **more)
    assert hosts == INTERFACES
    assert PATIENCE_S - 0.1 < took < PATIENCE_S + 0.75


def test_without_servers_there_is_nothing_to_wait_for(monkeypatch):
    hosts, took = gather(monkeypatch)
    assert hosts == INTERFACES
    assert took < 0.5


def test_it_is_the_time_that_aioice_gives_by_itself():
    """The default of one parameter is replaced, so it has to be that one."""
    parameters = inspect.signature(ice.Connection.get_component_candidates).parameters
    assert [name for name, one in parameters.items() if one.default is not inspect.Parameter.empty] == ["timeout"]
    assert parameters["timeout"].default == PATIENCE_S
