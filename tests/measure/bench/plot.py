"""Draws a benchmark's rows: what each arm costs the server, and how long a frame is under way."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

LOOKS = {  # told apart by marker and line as well as by colour
    "loopback": ("bare loopback", "#4A4F57", "o", "--"),
    "ours": ("Whichbin", "#0B7A4B", "D", "-"),
    "litert": ("usual way, LiteRT", "#C2571A", "s", "-."),
    "keras": ("usual way, Keras predict", "#7B61C4", "^", ":"),
}


def save_plot(rows: list[dict[str, Any]], title: str, file: Path) -> None:
    """Write a picture (the file's ending names its format) of rows as `python -m tests.measure.bench` makes them."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for arm, (name, color, marker, line) in LOOKS.items():
        mine = [row for row in rows if row["arm"] == arm]
        if not mine:
            continue
        streams = [row["streams"] for row in mine]
        style = {"color": color, "marker": marker, "linestyle": line, "label": name}
        left.plot(streams, [row["server_cores_per_stream"] for row in mine], **style)
        right.plot(streams, [row["latency_ms_p50"] for row in mine], **style)
    for axes, what in ((left, "server cores per stream"), (right, "round trip, ms (median)")):
        axes.set_xlabel("streams")
        axes.set_ylabel(what)
        axes.set_ylim(bottom=0)
        axes.set_xticks(sorted({row["streams"] for row in rows}))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False, fontsize=9)
    figure.suptitle(title, fontsize=10)
    figure.savefig(file, dpi=120)
    plt.close(figure)
