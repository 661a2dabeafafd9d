"""The server among other machines: STUN and TURN, HTTPS, limits on requests, and figures for Prometheus."""
