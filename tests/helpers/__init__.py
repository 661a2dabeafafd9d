"""What several tests share: stand-ins, cameras, browsers, servers."""
