"""The network in TensorFlow: its parts, its batches, its stages."""
