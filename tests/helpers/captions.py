"""All that can be said on the video: the six classes of the shipped model, and every other state."""

from app.advice.bins import load_rules
from app.advice.verdict import State, Verdict

LABELS = ("cardboard", "glass", "metal", "paper", "plastic", "trash")
RULES = load_rules(LABELS)
VERDICTS = [
    *(Verdict(State.ITEM, label, 0.9) for label in LABELS),
    Verdict(State.UNSURE),
    Verdict(State.UNSURE, gave_up=True),
    *(Verdict(state) for state in (State.EMPTY, State.CAMERA_OFF, State.UNAVAILABLE)),
]
