"""Real servers and real WebRTC peers on this machine, without a browser."""
