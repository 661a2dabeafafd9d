"""Makes artifacts out of labelled photos. The only package that imports TensorFlow."""
