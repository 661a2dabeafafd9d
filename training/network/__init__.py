"""The network in TensorFlow: its layers, the batches it learns from, the stages it learns in, its conversion."""
