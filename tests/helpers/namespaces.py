"""Hosts of their own on one machine: Linux network name spaces around a router, whose links can be cut. Needs no root.

A program that uses `Network` runs alone, in name spaces of its own, which end with it: see `alone`.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

NEEDS = ("unshare", "mount", "ip", "sh", "chromium")


def alone(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules in name spaces of its own: users, mounts and network."""
    spaces = ["unshare", "--user", "--map-root-user", "--mount", "--net"]
    return [*spaces, sys.executable, "-m", module, *arguments]


def missing() -> str:
    """Why there can be no name spaces here; empty if there can."""
    for program in NEEDS:
        if not shutil.which(program):
            return f"{program} is not installed"
    tried = "mount -t tmpfs none /run && mkdir /run/netns && ip netns add a && ip rule add ipproto udp blackhole"
    done = subprocess.run([*alone("x")[:5], "sh", "-c", tried], capture_output=True, text=True)
    return f"this machine makes no name spaces: {done.stderr.strip()}" if done.returncode else ""


def sh(*words: str) -> None:
    subprocess.run(words, check=True)


class Network:
    """This process is on the router, at 10.77.N.1; host N, from 1 on, is at 10.77.N.2 and reaches all others."""

    def __init__(self) -> None:
        sh("mount", "-t", "tmpfs", "none", "/run")  # where `ip netns` keeps its names
        Path("/run/netns").mkdir()
        sh("ip", "link", "set", "lo", "up")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        self._hosts: list[str] = []

    def add(self, host: str) -> str:
        """A new host; its address."""
        self._hosts.append(host)
        net, link = f"10.77.{len(self._hosts)}", f"to-{host}"
        sh("ip", "netns", "add", host)
        sh("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", host)
        sh("ip", "address", "add", f"{net}.1/24", "dev", link)
        sh("ip", "link", "set", link, "up")
        sh("ip", "-n", host, "address", "add", f"{net}.2/24", "dev", "eth0")
        sh("ip", "-n", host, "link", "set", "lo", "up")
        sh("ip", "-n", host, "link", "set", "eth0", "up")
        sh("ip", "-n", host, "route", "add", "default", "via", f"{net}.1")
        return f"{net}.2"

    @staticmethod
    def inside(host: str) -> list[str]:
        """What goes before a command that is to run on a host."""
        return ["ip", "netns", "exec", host]

    def wrap(self, host: str, program: Path) -> None:
        """Write a program that is Chromium on a host."""
        program.write_text(f'#!/bin/sh\nexec {" ".join(self.inside(host))} {shutil.which("chromium")} "$@"\n')
        program.chmod(0o755)

    def cut(self, host: str, only: Sequence[str] = ()) -> None:
        """The router drops all that comes from and goes to a host, and says so to nobody. only: ("ipproto", "udp")."""
        for direction in ("iif", "oif"):
            sh("ip", "rule", "add", "priority", "9", direction, f"to-{host}", *only, "blackhole")

    def mend(self, host: str) -> None:
        """Undo `cut`."""
        for direction in ("iif", "oif"):
            sh("ip", "rule", "del", "priority", "9", direction, f"to-{host}")
