"""Colours, icons and heat maps: how things look, on video frames and on pages alike. Imports no other room."""
