"""In which range a network expects its pixels: what there is, what fits labelled photos, and what to say of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.report.calibrate import nll, softmax

Logits = NDArray[np.floating]


@dataclass(frozen=True)
class Scaling:
    """How pixels from 0 to 255 are brought into a range: times `scale`, plus `offset`, each by colour.

    Attributes:
        scale: Factors of the three channels.
        offset: What is added to the three channels afterwards.
        bgr: Whether blue comes first.
    """

    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    bgr: bool = False


# By name. "caffe" and "torch" are modes of Keras's `preprocess_input`: the first is that of VGG and ResNet50, blue
# first and less ImageNet's mean colour; the second that of DenseNet, 0..1 less the mean and over the standard deviation
INPUT_RANGES = {
    "-1..1": Scaling((1 / 127.5,) * 3, (-1.0,) * 3),
    "0..1": Scaling((1 / 255,) * 3),
    "0..255": Scaling(),
    "caffe": Scaling(offset=(-103.939, -116.779, -123.68), bgr=True),
    "torch": Scaling(
        (1 / (255 * 0.229), 1 / (255 * 0.224), 1 / (255 * 0.225)),
        (-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225),
    ),
}
USUAL = "-1..1"  # of MobileNetV2, Teachable Machine and most of Keras's networks
PLAIN = "0..255"
# A network whose own scaling makes more than this of a pixel of 255 was made for smaller pixels
HIGHEST_PLAUSIBLE = 300.0
TRIED_PHOTOS = 200  # on which the ranges are compared
CLEARLY = 0.1  # of accuracy: a range that is this much better is the right one, beyond chance


@dataclass(frozen=True)
class Fit:
    """How well a network answers with one range: accuracy, 0 to 1, and mean negative log-likelihood in nats."""

    accuracy: float
    nll: float


def likely_range(scaled: tuple[float, float] | None) -> tuple[str, str]:
    """Guess a network's range from its own scaling.

    Args:
        scaled: What the network's first layers make of pixels 0 and 255; None if it does not scale them.

    Returns:
        The range's name, and a sentence that says what was found or assumed.
    """
    if scaled is None:
        return USUAL, f"no layer of the network scales pixels, so {USUAL} is assumed"
    low, high = scaled
    if max(abs(low), abs(high)) > HIGHEST_PLAUSIBLE:
        return (
            "0..1",
            f"the network's first layers enlarge pixels (1 becomes {_number(high / 255)}), so 0..1 is assumed",
        )
    return PLAIN, f"the network scales pixels itself: 0 to 255 become {_number(low)} to {_number(high)}"


def measure_fits(
    runner: Callable[[str], Callable[[NDArray[np.uint8]], Logits]],
    pixels: NDArray[np.uint8],
    truth: NDArray[np.int64],
    labels: int,
) -> dict[str, Fit]:
    """Run a network on labelled photos with every range.

    Args:
        runner: Makes a function from one picture, uint8, (side, side, 3), RGB, to logits, for a range.
        pixels: The photos, uint8, (n, side, side, 3), RGB.
        truth: Each photo's index among the labels, int64, (n,).
        labels: How many of the logits stand for labels.
    """
    fits = {}
    for name in INPUT_RANGES:
        run = runner(name)
        logits = np.array([run(picture)[:labels] for picture in pixels], np.float64)
        accuracy = float((logits.argmax(axis=1) == truth).mean())
        fits[name] = Fit(accuracy, nll(softmax(logits), truth))
    return fits


def best_range(fits: Mapping[str, Fit], likely: str, photos: int) -> str:
    """Choose the range that fits best.

    Of those whose accuracy is the highest, up to its standard error, it is the one with the least NLL. The likely one
    is kept where it is as good.
    """
    highest = max(fit.accuracy for fit in fits.values())
    error = max((highest * (1 - highest) / photos) ** 0.5, 0.5 / photos)
    close = {name: fit for name, fit in fits.items() if fit.accuracy >= highest - error}
    best = min(close, key=lambda name: close[name].nll)
    return likely if likely in close and np.isclose(close[likely].nll, close[best].nll, rtol=0.01) else best


def fits_text(fits: Mapping[str, Fit], photos: int) -> str:
    """Say how well each range fits: "0..1 gives 100.0 % of 36 photos, -1..1 33.3 %"."""
    first, *others = sorted(fits, key=lambda name: (-fits[name].accuracy, fits[name].nll))
    text = f"with {first}, {fits[first].accuracy:.1%} of {photos} photos are right"
    return text + "".join(f", with {name} {fits[name].accuracy:.1%}" for name in others)


def _number(value: float) -> str:
    return f"{value:.3g}"
