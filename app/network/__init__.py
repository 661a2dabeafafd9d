"""What stands between this server and others: STUN and TURN, HTTPS, request limits, Prometheus."""
