"""The server: everything that a person or a program meets."""
