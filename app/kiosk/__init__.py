"""The kiosk: what a screen at a bin shows, and what keeps it going. The page itself is app/views/kiosk.py."""
