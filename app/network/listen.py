"""Where the server listens, and its start without HTTPS: `python -m app.network.listen`.

At a port or an address that cannot be used, Streamlit ends with a traceback before any code of ours runs; so that is
looked at first.
"""

import argparse
import errno
import os
import socket
import sys
from typing import NoReturn

from app import door
from app.settings import ROOT

PORT = 8501


def port_number(text: str) -> int:
    """A port on a command line.

    Raises:
        argparse.ArgumentTypeError: It is none. The message says what is allowed.
    """
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a whole number from 1 to 65535; got {text!r}")
    return number


def problem(address: str, port: int) -> str:
    """Why a server cannot listen at an address and port, and what to do about it; empty if it can.

    Args:
        address: A host name or an address of this machine; empty for all of its addresses.
        port: From 1 to 65535.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET  # as Streamlit chooses
    try:
        place = socket.getaddrinfo(address or "0.0.0.0", port, family, socket.SOCK_STREAM)[0][4]
    except (socket.gaierror, UnicodeError):  # no such name; no name can be written like that
        return f"{address!r} is no host name that is known here: give an address of this machine, or localhost"
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"port {port} is taken by another program: end that, or choose another port"
            if error.errno == errno.EACCES:
                return f"port {port} is not for everybody: choose one from 1024 on"
            if error.errno == errno.EADDRNOTAVAIL:
                return f"{address} is no address of this machine: give one of its own, or localhost"
            return f"{address}, port {port}: {error.strerror}"
    return ""


def serve(address: str, port: int, *options: str) -> NoReturn:
    """Become the server.

    Args:
        address: The one address to listen at; empty for all.
        port: From 1 to 65535.
        options: More of Streamlit's.

    Raises:
        SystemExit: It cannot listen there. The message says why.
    """
    if why := problem(address, port):
        sys.exit(f"whichbin cannot start: {why}")
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "main.py"), "--server.port", str(port)]
    command += ["--server.address", address] if address else []
    os.execv(sys.executable, [*command, *options])


def main() -> None:
    """Start the server without HTTPS."""
    parser = argparse.ArgumentParser(prog="python -m app.network.listen", description="Serve Whichbin without HTTPS.")
    parser.add_argument("--port", type=port_number, default=PORT)
    parser.add_argument("--address", default="localhost", help="where to listen; localhost: for this machine alone")
    options = parser.parse_args()
    serve(options.address, options.port)


if __name__ == "__main__":
    door.run(main, "app.network.listen")
