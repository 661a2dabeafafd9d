"""The server's side, a process of its own: answers offers on standard input, one JSON object a line."""

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from app.stream import memory
from tests.measure.bench.arms import Arm, make


def resident_mib() -> float:
    """This process's resident memory in MiB (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def threads() -> int:
    """How many threads this process has beside the event loop's own pool, which fills up to its bound by chance."""
    return sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate())


async def answer(arm: Arm, peers: list[RTCPeerConnection], offer: dict[str, str]) -> dict[str, str]:
    """Connect one more stream."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peers.append(peer)
    sent_back: list[MediaStreamTrack] = []

    @peer.on("track")
    def send_back(track: MediaStreamTrack) -> None:
        sent_back.append(arm.track(track))
        peer.addTrack(sent_back[0])

    @peer.on("connectionstatechange")
    async def free() -> None:
        if peer.connectionState in ("closed", "failed") and peer in peers:
            peers.remove(peer)
            for track in sent_back:
                arm.release(track)
            await peer.close()

    await peer.setRemoteDescription(RTCSessionDescription(**offer))
    await peer.setLocalDescription(await peer.createAnswer())
    return {"sdp": peer.localDescription.sdp, "type": peer.localDescription.type}


async def serve(name: str) -> None:
    """Serve until standard input ends."""
    memory.few_heaps()
    arm = make(name)
    peers: list[RTCPeerConnection] = []
    loop = asyncio.get_running_loop()

    def say(message: dict[str, Any]) -> None:
        print(json.dumps(message), flush=True)

    memory.settle()
    say({"ready": True})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        if "offer" in asked:
            say(await answer(arm, peers, asked["offer"]))
        else:
            held = {
                "rss_mib": resident_mib(),
                "threads": threads(),
                "files": len(os.listdir("/proc/self/fd")),
            }
            say({"cpu_s": time.process_time(), "at": time.monotonic(), "streams": len(peers), **held, **arm.figures()})
    await asyncio.gather(*(peer.close() for peer in list(peers)))
    arm.close()


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[2])})
    asyncio.run(serve(sys.argv[1]))
