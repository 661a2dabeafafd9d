"""How things look, on video frames and on pages alike: colours, icons and heat maps. It imports no other room."""
