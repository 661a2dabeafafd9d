"""Photos to results: what the photo page shows, and its CSV."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.advice.bins import Rules
from app.advice.caption import Caption, caption, whole_percent
from app.advice.languages import Language
from app.advice.verdict import State, Verdict
from app.look import spreadsheet
from app.look.data_uri import data_uri
from model import Classifier, PhotoError, Prediction, read_photo

SHOWN_SIDE_PX = 640  # the longer side of what is sent back to the browser


@dataclass(frozen=True)
class PhotoResult:
    """One photo's result: either a prediction and a picture to show, or what was wrong with it."""

    name: str
    prediction: Prediction | None = None
    picture_uri: str = ""
    error: PhotoError | None = None

    def message(self, words: Language) -> str:
        """What was wrong, to follow the file's name; empty if nothing was."""
        return words(f"photo_error_{self.error.reason}", **self.error.values) if self.error else ""


def classify_photo(
    name: str, content: bytes, classifier: Classifier, read: Callable[[bytes], NDArray[np.uint8]] = read_photo
) -> PhotoResult:
    """Decode with `read` and classify one file. One that cannot be used gives a message, not an exception."""
    try:
        rgb = read(content)
    except PhotoError as error:
        return PhotoResult(name, error=error)
    return PhotoResult(name, classifier.classify(rgb), _data_uri(rgb))


def photo_caption(prediction: Prediction, threshold: float, rules: Rules) -> Caption:
    """A still photo in the words of the live page; there is no time to wait for a better look."""
    if prediction.known and prediction.confidence >= threshold:
        return caption(Verdict(State.ITEM, prediction.label, prediction.confidence), rules)
    words = rules.words
    percent = words.percent(whole_percent(prediction.confidence) / 100)
    guess = words("photo_guess", item=rules.category(prediction.label).name, percent=percent)
    title = words("caption_unsure_title" if prediction.known else "photo_unknown_title")
    return Caption(title, guess, "question", bins=(rules.default_bin,), words=words)


def headings(words: Language) -> dict[str, str]:
    """What the columns of `rows` are called; those of the classes are called as the labels."""
    return {column: words(f"column_{column}") for column in ("file", "answer", "label", "confidence", "bin")}


def rows(results: Sequence[PhotoResult], threshold: float, rules: Rules) -> list[dict[str, str | float | None]]:
    """One flat row a photo, for a table: probabilities from 0 to 1, None where there is no answer."""
    table = []
    for result in results:
        row: dict[str, str | float | None] = {"file": result.name}
        prediction = result.prediction
        if prediction is None:
            row |= {"answer": result.message(rules.words), "label": None, "confidence": None, "bin": None}
            row |= dict.fromkeys(rules.categories)
        else:
            words = photo_caption(prediction, threshold, rules)
            row |= {"answer": words.title, "label": prediction.label, "confidence": prediction.confidence}
            row |= {"bin": " / ".join(bin.name for bin in words.bins) or None, **prediction.probabilities}
        table.append(row)
    return table


def to_csv(table: Sequence[dict[str, str | float | None]], words: Language) -> str:
    """Rows of the same keys as CSV with a header; file and class names come from strangers.

    The column `label`, with its heading, and the headings of the classes are the classifier's own names in every
    language, so that a program can rely on them.
    """
    named = headings(words) | {"label": "label"}
    heading = [named.get(column, column) for column in (table[0] if table else ())]
    return spreadsheet.to_csv(heading, (row.values() for row in table))


def _data_uri(rgb: NDArray[np.uint8]) -> str:
    scale = SHOWN_SIDE_PX / max(rgb.shape[:2])
    if scale < 1:
        size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return data_uri("image/jpeg", jpeg.tobytes())
