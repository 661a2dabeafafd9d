"""Puts the items of photos before other pictures, to measure a model where no labelled photos were taken.

python -m training.paste --data DIR --before DIR --out DIR, and then python -m training.evaluate --data OUT

With pictures of your own place, without an item in them, this tells how far its background misleads the model. It tells
nothing about the light there, the hands, or the kinds of items; and the items are cut out and pasted as in training.
"""

from dataclasses import dataclass, field
from pathlib import Path

from training.data.photos import check_photos, class_folders, photos_in, without
from training.data.splits import EVALUATED, GROUPS_FILE, chosen_part
from training.errors import TrainingError, run_command
from training.options import Options, option
from training.pictures.pasting import paste_items
from training.pictures.scene import SEE_THROUGH


@dataclass(frozen=True, kw_only=True)
class PasteOptions(Options):
    """The options of `python -m training.paste`."""

    data: Path = field(metadata=option("class folders with photos of items before a plain background"))
    split: str = field(
        default="validation",
        metadata=option("which of these photos: all, or what a split holds back", choices=EVALUATED),
    )
    groups: Path = field(default=GROUPS_FILE, metadata=option("the list of the grouped split"))
    before: Path = field(metadata=option("a folder of pictures to put the items before"))
    out: Path = field(metadata=option("a new folder for what is made"))
    each: int = field(default=2, metadata=option("how many pictures to make of an item", at_least=1, metavar="N"))
    see_through: tuple[str, ...] = field(
        default=SEE_THROUGH, metadata=option("classes whose items may be see-through", nargs="*")
    )
    seed: int = field(default=1, metadata=option("where the random numbers start"))
    skip_bad: bool = field(
        default=False, metadata=option("leave out photos that cannot be read, instead of refusing to start")
    )


def paste(options: PasteOptions) -> int:
    """Write OUT/class/photo-N.jpg and return how many of the photos' items were found. Raises TrainingError."""
    classes = chosen_part(class_folders(options.data), options.split, options.groups)
    paths = [path for of_class in classes.values() for path in of_class]
    scenes = photos_in(options.before)
    for folder, found in ((options.data, paths), (options.before, scenes)):
        if not found:
            raise TrainingError(f"{folder}: holds no photos")
    if options.out.exists() and any(options.out.iterdir()):
        raise TrainingError(f"{options.out}: is not empty; name a new folder with --out")
    bad = check_photos([*paths, *scenes], options.skip_bad)
    classes, scenes = without(bad, classes), [path for path in scenes if path not in bad]
    for folder, left in ((options.data, any(classes.values())), (options.before, scenes)):
        if not left:
            raise TrainingError(f"{folder}: holds no photo that can be used")
    count = paste_items(classes, scenes, options.out, options.each, options.see_through, options.seed)
    if not count:
        raise TrainingError(f"{options.data}: no photo has an item that stands before a plain background")
    return count


def main() -> None:
    """Paste as the command line says."""
    options = PasteOptions.parse("training.paste", (__doc__ or "").split("\n")[0])
    count = paste(options)
    print(f"{options.out}: {count * options.each} pictures of {count} items written")


if __name__ == "__main__":
    run_command(main)
