"""Finds the weights that a network starts from, before TensorFlow is loaded."""

import os
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path

from training.errors import TrainingError

# Where Keras Applications has MobileNetV2 as ImageNet taught it, with pictures of a few sizes
IMAGENET_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{size}_no_top.h5"
)
IMAGENET_SIZES_PX, ANY_SIZE_PX = (96, 128, 160, 192, 224), 224
DOWNLOAD_TIMEOUT_S = 20  # of each wait for the server
HDF5_START = b"\x89HDF\r\n\x1a\n"


def starting_weights(weights: str, size: int) -> Path | None:
    """The file of the weights that an option asks for.

    Args:
        weights: "imagenet", which is downloaded once into the folder where Keras keeps its downloads; "none" for random
            ones; or a weights file.
        size: Side of the network's input in pixels.

    Returns:
        The file, or None for random weights.

    Raises:
        TrainingError: There is no such file, or it cannot be downloaded.
    """
    if weights == "imagenet":
        return _download(IMAGENET_URL.format(size=size if size in IMAGENET_SIZES_PX else ANY_SIZE_PX))
    return check_weights(weights)


def check_weights(weights: str) -> Path | None:
    """As `starting_weights`, but without a download: None stands for "imagenet", too."""
    if weights in ("imagenet", "none"):
        return None
    file = Path(weights)
    if not file.is_file():
        what = "is a folder, not a weights file" if file.is_dir() else "no such weights file"
        raise TrainingError(f"--weights {file}: {what}; {_advice()}")
    with file.open("rb") as handle:
        if handle.read(len(HDF5_START)) != HDF5_START:
            raise TrainingError(f"--weights {file}: is no weights file of Keras (HDF5); {_advice()}")
    return file


def _download(address: str) -> Path:
    """The weights of an address, downloaded unless they have been before. Raises TrainingError if that fails."""
    file = _keras_folder() / "models" / address.rpartition("/")[2]
    if file.is_file():
        return file
    print(f"downloading the starting weights to {file}", flush=True)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(address, timeout=DOWNLOAD_TIMEOUT_S) as answer:
            content: bytes = answer.read()
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise TrainingError(f"the starting weights cannot be downloaded ({reason}); {_advice(address)}") from error
    if not content.startswith(HDF5_START):
        raise TrainingError(f"the starting weights were not what came from the download; {_advice(address)}")
    partial = file.with_suffix(".part")
    partial.write_bytes(content)
    partial.replace(file)
    return file


def _advice(address: str = IMAGENET_URL.format(size=ANY_SIZE_PX)) -> str:
    return (
        f"download {address} on any machine that has internet, and give the file with --weights FILE "
        "(--weights none starts from random numbers, which takes far more photos and time)"
    )


def _keras_folder() -> Path:
    """Where Keras keeps its downloads; a temporary folder if nothing can be written there."""
    if own := os.environ.get("KERAS_HOME"):
        return Path(own)
    home = Path(os.path.expanduser("~"))
    return (home if os.access(home, os.W_OK) else Path(tempfile.gettempdir())) / ".keras"
