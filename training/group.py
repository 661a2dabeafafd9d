"""Finds photos of one object and writes the list of the grouped split.

python -m training.group --data DIR --out FILE
"""

import argparse
from collections import Counter
from pathlib import Path

import keras
import numpy as np

from model.preprocessing import INPUT_SIZE
from training.data.duplicates import conflicts, groups, perceptual_hash
from training.data.photos import check_photos, class_folders, load_pixels
from training.data.splits import GROUPS_FILE, PARTS, assign_parts, write_groups
from training.errors import TrainingError, run_command
from training.network.architecture import build_network


def group(data: Path, weights: str, file: Path) -> None:
    """Write the list. Features are MobileNetV2's, pooled, as ImageNet left them. Raises TrainingError."""
    paths = [path for of_class in class_folders(data).values() for path in of_class]
    if not paths:
        raise TrainingError(f"{data}: its class folders hold no photos")
    check_photos(paths)
    pixels = load_pixels(paths, INPUT_SIZE)
    network = build_network(2, INPUT_SIZE, None if weights == "none" else weights)
    pooled = keras.Model(network.input, network.get_layer("pool").output)
    features = pooled.predict(pixels, batch_size=32, verbose=0)
    number = groups(np.stack([perceptual_hash(picture) for picture in pixels]), features)
    names = [f"{path.parent.name}/{path.name}" for path in paths]

    dropped = {path for same in conflicts(paths) for path in same}
    for same in conflicts(paths):
        print(f"dropped, one photo under two labels: {', '.join(f'{p.parent.name}/{p.name}' for p in same)}")
    kept = [index for index, path in enumerate(paths) if path not in dropped]
    parts = ["dropped"] * len(paths)
    for index, part in zip(kept, assign_parts([names[i] for i in kept], [int(number[i]) for i in kept]), strict=True):
        parts[index] = part
    write_groups(
        file,
        sorted(
            zip(parts, map(int, number), names, strict=True), key=lambda row: (row[2].split("/")[0], row[1], row[2])
        ),
    )
    sizes, counts = Counter(int(number[i]) for i in kept), Counter(parts)
    several = [size for size in sizes.values() if size > 1]
    print(
        f"{len(several)} groups of several photos, {sum(several)} photos in them, "
        f"the largest of {max(several, default=1)}"
    )
    print(", ".join(f"{part} {counts[part]}" for part in PARTS))
    print(f"{file}: written")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.group", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder with one folder of photos per class")
    parser.add_argument("--weights", default="imagenet", help="'imagenet' (downloaded), 'none' or a weights file")
    parser.add_argument("--out", type=Path, default=GROUPS_FILE, help="the list (default %(default)s)")
    options = parser.parse_args()
    group(options.data, options.weights, options.out)


if __name__ == "__main__":
    run_command(main)
