"""Tells what is in a picture: an artifact folder in, calibrated predictions out."""

from model.artifact import ArtifactError
from model.classifier import Classifier, Prediction
from model.photos import PhotoError, read_photo

__all__ = ["ArtifactError", "Classifier", "PhotoError", "Prediction", "read_photo"]
