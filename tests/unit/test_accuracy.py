"""The shipped model on TrashNet's validation photos, through the public API, held to its own metadata."""

from model import read_photo
from tests.helpers.trashnet import validation_photos

EACH = 14  # photos a class, evenly spread over its validation photos: 84 in all


def test_accuracy_is_what_the_metadata_says(classifier):
    right = total = known = 0
    for label in classifier.labels:
        photos = validation_photos(label)
        for path in photos[:: max(1, len(photos) // EACH)][:EACH]:
            prediction = classifier.classify(read_photo(path))
            right += prediction.label == label
            known += prediction.known
            total += 1
    assert total >= 60
    claimed = classifier.metadata.raw["figures"]["reference"]["balanced_accuracy"]
    # four standard errors of a share over `total` photos: the sample is small, the claim is not to be beaten by luck
    slack = 4 * (claimed * (1 - claimed) / total) ** 0.5
    assert right / total >= claimed - slack, f"{right} of {total} right; metadata.json claims {claimed:.1%}"
    assert known / total >= 0.85
