"""Classifiers that were made elsewhere: Keras 2 and 3, SavedModel folders, and `.tflite` files."""
