"""Real servers, real worker processes and real WebRTC peers on this machine, without a browser."""
