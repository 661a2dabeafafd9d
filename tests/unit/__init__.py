"""One module at a time: no server, no browser, no network."""
