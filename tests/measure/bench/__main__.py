"""Runs the benchmark, prints a table, and writes JSON and a plot where asked."""

import argparse
import asyncio
import json
import os
import platform
import statistics
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.measure.bench.arms import available
from tests.measure.bench.client import RATE, Server, Stream, connect, moving_scene

WARM_UP = 4.0  # seconds before a measurement; the codec's rate control and the first panel have settled
FULL_RATE = 0.95  # of 30 frames a second; below it an arm is not asked to carry still more streams

Row = dict[str, Any]


async def measure(arm: str, streams: int, seconds: float, core: int) -> Row:
    """One arm with some streams for some seconds."""
    scene = moving_scene()
    server = await asyncio.get_running_loop().run_in_executor(None, Server, arm, core)
    opened: list[Stream] = [await connect(server, scene) for _ in range(streams)]
    await asyncio.sleep(WARM_UP)
    before = await server.ask({"figures": True})
    for stream in opened:
        stream.returned.clear()
        stream.latencies.clear()
    await asyncio.sleep(seconds)
    after = await server.ask({"figures": True})
    wall = after["at"] - before["at"]
    latencies = [1000 * latency for stream in opened for latency in stream.latencies]
    row = {
        "arm": arm,
        "streams": streams,
        "fps": round(sum(len(stream.returned) for stream in opened) / wall / streams, 2),
        "latency_ms_p50": _percentile(latencies, 50),
        "latency_ms_p95": _percentile(latencies, 95),
        "server_cores_per_stream": round((after["cpu_s"] - before["cpu_s"]) / wall / streams, 4),
        "classifications_per_s": round((after["classified"] - before["classified"]) / wall, 1),
        "verdict_age_ms_p95": _percentile([1000 * age for age in after["ages"]], 95),
        "dropped": after["dropped"] - before["dropped"],
        "rss_mib": round(after["rss_mib"], 1),
    }
    await asyncio.gather(*(stream.peer.close() for stream in opened))
    await asyncio.get_running_loop().run_in_executor(None, server.stop)
    return row


def _percentile(values: list[float], percent: int) -> float | None:
    if len(values) < 2:
        return None
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table; cores also as a multiple of the loopback's with as many streams."""
    loopback = {row["streams"]: row["server_cores_per_stream"] for row in rows if row["arm"] == "loopback"}
    lines = [
        "| arm | streams | fps | round trip p50 | p95 | server cores/stream | x loopback "
        "| classified/s | verdict age p95 | dropped | memory |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        bare = loopback.get(row["streams"])
        times = f"{row['server_cores_per_stream'] / bare:.2f}" if bare else ""
        lines.append(
            f"| {row['arm']} | {row['streams']} | {row['fps']:.1f} | {_ms(row['latency_ms_p50'])} "
            f"| {_ms(row['latency_ms_p95'])} | {row['server_cores_per_stream']:.3f} | {times} "
            f"| {row['classifications_per_s']:.0f} | {_ms(row['verdict_age_ms_p95'])} | {row['dropped']} "
            f"| {row['rss_mib']:.0f} MiB |"
        )
    return "\n".join(lines)


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} ms"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.measure.bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="length of each measurement (default 20)")
    parser.add_argument("--streams", default="1,2,4", help="numbers of streams, such as 1,4 (default 1,2,4)")
    parser.add_argument("--arms", default=",".join(available()), help="default: all that can run here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as a JSON list")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them (needs matplotlib)")
    options = parser.parse_args()
    if options.plot and not find_spec("matplotlib"):
        parser.error("--plot needs matplotlib: pip install matplotlib")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        parser.error("needs two cores, one for the server and one for the client")
    os.sched_setaffinity(0, set(cores[1:]))
    setting = f"{_machine()}, server on one core, 640x480 at {RATE} frames a second"
    print(f"{setting}; client on the other {len(cores) - 1}")
    rows: list[Row] = []
    tired: set[str] = set()
    for streams in map(int, options.streams.split(",")):
        for arm in options.arms.split(","):
            if arm in tired:
                continue
            rows.append(asyncio.run(measure(arm, streams, options.seconds, cores[0])))
            if rows[-1]["fps"] < FULL_RATE * RATE:
                tired.add(arm)
            print(f"{arm} with {streams}: {rows[-1]['fps']:.1f} fps", flush=True)
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    if options.plot:
        from tests.measure.bench.plot import save_plot  # matplotlib is not among the app's requirements

        save_plot(rows, setting, options.plot)


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
