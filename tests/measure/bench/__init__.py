"""How near the real-time path is to a bare loopback: `python -m tests.measure.bench`.

Server and client are processes of their own, on cores of their own; the arms take turns in one run, so that what
shares the machine disturbs all of them alike.
"""
