"""The kiosk: what a screen at a bin shows, and what keeps it going. Its page is `app/views/kiosk.py`."""
