"""The real-time path: frames in, annotated frames out. Imports neither Streamlit nor TensorFlow."""
