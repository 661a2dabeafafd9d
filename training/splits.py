"""Which photos are trained on and which are held back."""

from collections.abc import Mapping, Sequence
from pathlib import Path

VALIDATION_SHARE = 0.2


def reference_split(
    classes: Mapping[str, Sequence[Path]], share: float = VALIDATION_SHARE
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """Split each class's photos into (training, validation).

    File names are sorted as strings; the first int(share * n) are validation. This is what Keras's
    `ImageDataGenerator(validation_split=0.2)` does, so figures compare with work that used it (TrashNet: 2024 / 503).
    A class always keeps at least one photo on either side; with fewer than 5 photos Keras would validate on none.
    """
    training, validation = {}, {}
    for name, paths in classes.items():
        ordered = sorted(paths, key=lambda path: path.name)
        held = max(1, int(share * len(ordered)))
        validation[name], training[name] = ordered[:held], ordered[held:]
    return training, validation
