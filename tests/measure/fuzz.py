"""Throws damaged and hostile photo files at the decoder behind the upload.

    python -m tests.measure.fuzz --inputs 10000 [--seed 1] [--keep FOLDER]

Input number n of a seed is always the same file. Each has to end as a picture or as a PhotoError, within SECONDS of
processor time, with the decoding process below PEAK_KIB, and without a word lost about the others. The process that
decodes may die of an input; that is contained, counted and named, and the input is kept. Prints one JSON object last.
"""

import argparse
import json
import random
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from app.photo.decoder import PhotoDecoder
from app.photo.worker import SLOWEST
from app.settings import Settings
from model import PhotoError
from tests.helpers.hostile_photos import hostile, mutated, valid_files

SECONDS = 1.1 * SLOWEST * Settings().max_photo_seconds  # of the largest photo on the slowest machine
PEAK_KIB = 1300 * 1024  # what the kernel lets a worker have for 66 megapixels, and what it has at its start
HOSTILE = 0.15  # share of inputs made to exploit a format; the others are valid files, damaged


def make_input(seed: int, number: int, files: dict[str, bytes]) -> tuple[str, bytes]:
    """Input `number` of a seed: what it is, and its content. files: from `valid_files`."""
    rng = random.Random(f"{seed}/{number}")
    if rng.random() < HOSTILE:
        return hostile(rng, files)
    return mutated(rng, files)


def run(seed: int, numbers: range, keep: Path, alone: bool = False) -> dict[str, object]:
    """Decode the inputs; return the figures. `broken` has a line for each input that broke a promise.

    alone: this process has no other children, so that theirs is the memory of those that have ended.
    """
    usual = Settings()
    decoder = PhotoDecoder(usual.max_photo_megapixels * 1_000_000, usual.max_photo_seconds, usual.max_photo_mib * 2**20)
    files = valid_files()
    outcomes: Counter[str] = Counter()
    contained: list[str] = []
    broken: list[str] = []
    slowest_cpu = slowest_wall = 0.0
    peak = 0
    for number in numbers:
        kind, content = make_input(seed, number, files)
        begun = time.monotonic()
        wrong = ""
        try:
            rgb = decoder.read(content)
            outcomes["pictures"] += 1
            if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
                wrong = f"a picture of {rgb.shape}, {rgb.dtype}"
        except PhotoError as error:
            outcomes["refused"] += 1
            if "\n" in str(error) or len(str(error)) > 120:
                wrong = f"said {error!s:.200}"
        except Exception as error:  # noqa: BLE001 (whatever it is, it is what is looked for)
            wrong = f"raised {error!r:.200}"
        slowest_wall = max(slowest_wall, time.monotonic() - begun)
        peak = max(peak, decoder.peak_kib)
        name = f"{seed}-{number} ({kind}, {len(content)} bytes)"
        if decoder.died is not None:
            how = signal.Signals(-decoder.died).name if decoder.died < 0 else f"status {decoder.died}"
            outcomes[how] += 1
            contained.append(f"{name}: {how}")
        else:
            slowest_cpu = max(slowest_cpu, decoder.cpu_s)
            if decoder.cpu_s > SECONDS:
                wrong = f"took {decoder.cpu_s:.2f} s of processor time"
        if wrong:
            broken.append(f"{name}: {wrong}")
        if wrong or decoder.died is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{seed}-{number}.bin").write_bytes(content)
    decoder.close()
    if alone:  # of all workers that have ended, those too that were killed
        peak = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    if peak > PEAK_KIB:
        broken.append(f"the decoder's process grew to {peak} KiB")
    return {
        "seed": seed,
        "inputs": len(numbers),
        "outcomes": dict(outcomes),
        "slowest_cpu_s": round(slowest_cpu, 3),
        "slowest_wall_s": round(slowest_wall, 3),
        "decoder_peak_mib": round(peak / 1024),
        "own_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "contained": contained,
        "broken": broken,
    }


def main() -> int:
    """Command line. Exit status 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description="Fuzz the photo decoder.")
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("runs/fuzz"), help="folder for inputs that did harm")
    given = parser.parse_args()
    figures = run(given.seed, range(given.first, given.first + given.inputs), given.keep, alone=True)
    print(json.dumps(figures, indent=1))
    return 1 if figures["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
