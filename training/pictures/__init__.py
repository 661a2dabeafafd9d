"""What the network is shown: augmented photos, cut-out items, empty views. numpy and OpenCV."""
