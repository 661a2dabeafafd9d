"""What makes an artifact. The only package that imports TensorFlow."""
