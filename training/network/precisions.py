"""The precisions in which a LiteRT file can hold its numbers; here, so that options need no TensorFlow."""

PRECISIONS = ("float32", "float16", "int8")
