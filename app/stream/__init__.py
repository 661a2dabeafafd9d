"""The real-time path: frames in, annotated frames out. Knows neither Streamlit nor TensorFlow."""
