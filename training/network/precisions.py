"""In which precision a network's numbers can be stored. TensorFlow is not needed to read this."""

PRECISIONS = ("float32", "float16", "int8")
REPRESENTATIVE = 200  # photos from which an int8 file learns the ranges of its integers
