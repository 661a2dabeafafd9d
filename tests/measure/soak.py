"""Whether anything grows: connects, streams and hangs up many times, then holds some streams for a while.

python -m tests.measure.soak
"""

import argparse
import asyncio
import os
from typing import Any

from tests.measure.bench.client import Server, connect, moving_scene

STEP = 50  # connections from reading to reading
CALM = 3.0  # seconds for the last hang-up to be seen
STEADY = 3  # seconds without a change
PATIENCE = 60  # seconds more, while what is held still changes: ICE gives up a silent peer after 30 s (RFC 7675)


async def come_and_go(server: Server, times: int, seconds: float) -> None:
    """One stream after another, each for some seconds. Raises TimeoutError when no frame comes back from one."""
    scene = moving_scene()
    for _ in range(times):
        stream = await connect(server, scene)
        async with asyncio.timeout(PATIENCE):  # hanging up before it is up would test ICE's patience, nothing of ours
            while not stream.returned:
                await asyncio.sleep(0.05)
        await asyncio.sleep(seconds)
        await stream.peer.close()


async def hold(server: Server, streams: int, seconds: float) -> int:
    """Some streams at once for some seconds; returns how many frames came back."""
    scene = moving_scene()
    opened = [await connect(server, scene) for _ in range(streams)]
    await asyncio.sleep(seconds)
    await asyncio.gather(*(stream.peer.close() for stream in opened))
    return sum(len(stream.returned) for stream in opened)


async def reading(server: Server, when: str) -> dict[str, Any]:
    """What the server holds, once it is quiet."""
    await asyncio.sleep(CALM)
    held, steady = await server.ask({"figures": True}), 0
    for _ in range(PATIENCE):
        await asyncio.sleep(1)
        before, held = held, await server.ask({"figures": True})
        same = all(held[key] == before[key] for key in ("threads", "files"))
        steady = steady + 1 if same and not held["streams"] else 0
        if steady == STEADY:
            break
    print(
        f"{when:30} {held['rss_mib']:8.1f} MiB {held['threads']:4} threads {held['files']:4} files "
        f"{held['streams']:3} streams",
        flush=True,
    )
    return held


async def soak(options: argparse.Namespace) -> None:
    """The whole run."""
    server = await asyncio.get_running_loop().run_in_executor(None, Server, options.arm, min(os.sched_getaffinity(0)))
    await come_and_go(server, options.warm_up, options.stay)
    await hold(server, options.streams, CALM)
    first = await reading(server, f"after {options.warm_up} to warm up")
    for done in range(0, options.connections, STEP):
        times = min(STEP, options.connections - done)
        await come_and_go(server, times, options.stay)
        await reading(server, f"after {done + times} connections")
    frames = await hold(server, options.streams, options.minutes * 60)
    last = await reading(server, f"after {options.streams} for {options.minutes:g} min")
    print(
        f"grown by {last['rss_mib'] - first['rss_mib']:.1f} MiB, {last['threads'] - first['threads']} threads, "
        f"{last['files'] - first['files']} files; {frames} frames came back in the long run"
    )
    await asyncio.get_running_loop().run_in_executor(None, server.stop)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.measure.soak", description=__doc__)
    parser.add_argument("--warm-up", type=int, default=20, help="connections before it counts (default %(default)s)")
    parser.add_argument("--connections", type=int, default=200, help="default %(default)s")
    parser.add_argument("--stay", type=float, default=1.5, help="seconds of each connection (default %(default)s)")
    parser.add_argument("--streams", type=int, default=4, help="held at once (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=10, help="how long they are held (default %(default)s)")
    parser.add_argument("--arm", default="ours", help="loopback tells aiortc's own growth (default %(default)s)")
    asyncio.run(soak(parser.parse_args()))


if __name__ == "__main__":
    main()
