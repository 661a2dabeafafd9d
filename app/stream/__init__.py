"""The real-time path: camera frames in, annotated frames out.

It knows no web page and no words: captions are handed to it ready to draw. So it can be tested with plain frames and
two WebRTC peers.
"""
