"""What a model is worth: calibration, figures, plots, the model card, and the artifact that carries them."""
