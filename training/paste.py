"""Puts the items of photos before other pictures, to measure a model where no labelled photos were taken.

python -m training.paste --data DIR --before DIR --out DIR, and then python -m training.evaluate --data OUT

With pictures of one's own place, without an item in them, this tells how far its background misleads the model. Of
its light, hands and kinds of items it tells nothing, and the cutting and pasting is that of the training.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.data.photos import check_photos, class_folders, load_pixels, photos_in
from training.data.splits import EVALUATED, GROUPS_FILE, chosen_part
from training.errors import TrainingError, run_command
from training.pictures.cutout import cutouts
from training.pictures.scene import CLEAR_SHARE, SEE_THROUGH, before_another

SIDE = 384  # pixels, of what is written: the longer side of most training photos, resized once more in serving
QUALITY = 95  # JPEG


def paste(options: argparse.Namespace) -> int:
    """Write OUT/class/photo-N.jpg; return how many of the photos' items were found. Raises TrainingError."""
    classes = chosen_part(class_folders(options.data), options.split, options.groups)
    paths = [path for of_class in classes.values() for path in of_class]
    scenes = photos_in(options.before, recursive=True)
    for folder, found in ((options.data, paths), (options.before, scenes)):
        if not found:
            raise TrainingError(f"{folder}: holds no photos")
    if options.out.exists() and any(options.out.iterdir()):
        raise TrainingError(f"{options.out}: is not empty; name a new folder with --out")
    check_photos([*paths, *scenes])
    pixels, backgrounds = load_pixels(paths, SIDE), load_pixels(scenes, SIDE)
    outlines, rng, count = cutouts(pixels), np.random.default_rng(options.seed), 0
    for path, picture, outline in zip(paths, pixels, outlines, strict=True):
        if outline.max() <= 127:
            continue
        count += 1
        folder = options.out / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, options.each + 1):
            clear = path.parent.name in options.see_through and rng.random() < CLEAR_SHARE
            view = before_another(picture, outline, backgrounds, SIDE, rng, clear, synthetic=0)
            file = folder / f"{path.stem}-{number}.jpg"
            content = cv2.imencode(".jpg", view[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
            file.write_bytes(content.tobytes())
    if not count:
        raise TrainingError(f"{options.data}: no photo has an item that stands before a plain background")
    return count


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.paste", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="class folders; photos before a plain background")
    parser.add_argument("--split", choices=EVALUATED, default="validation", help="of --data (default %(default)s)")
    parser.add_argument("--groups", type=Path, default=GROUPS_FILE, help="list of the grouped split (%(default)s)")
    parser.add_argument("--before", type=Path, required=True, help="pictures to put the items before")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--each", type=int, default=2, metavar="N", help="pictures of an item (default %(default)s)")
    parser.add_argument("--see-through", nargs="*", default=SEE_THROUGH, help="classes that may be")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.each < 1:
        parser.error(f"--each must be at least 1; got {options.each}")
    return options


def main() -> None:
    options = parse_arguments()
    count = paste(options)
    print(f"{options.out}: {count * options.each} pictures of {count} items written")


if __name__ == "__main__":
    run_command(main)
