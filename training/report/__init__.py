"""What a model is worth: figures, calibration, curves, pages, and the artifact that carries them."""
