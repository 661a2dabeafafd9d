"""What is drawn on the frames, and where."""

import numpy as np
import pytest

from app.advice.bins import load_rules
from app.advice.caption import caption
from app.advice.languages import languages
from app.advice.verdict import State, Verdict
from app.look.icons import ICONS
from app.stream.frames import planes, writable_yuv
from app.stream.overlay import Overlay, panel_rectangle, regions
from tests.helpers.captions import LABELS, RULES, VERDICTS
from tests.helpers.fakes import frame


def drawn(verdict: Verdict, width: int = 640, height: int = 480) -> tuple[np.ndarray, np.ndarray]:
    """A frame before and after drawing, RGB."""
    target = writable_yuv(frame(width, height))
    before = target.to_ndarray(format="rgb24")
    Overlay().draw(target, caption(verdict, RULES))
    return before, target.to_ndarray(format="rgb24")


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (320, 240), (1280, 720), (642, 362)])
@pytest.mark.parametrize("verdict", [VERDICTS[1], VERDICTS[-3]], ids=["item", "empty"])
def test_changes_pixels_only_where_it_says(width, height, verdict):
    target = writable_yuv(frame(width, height))
    before = [plane.copy() for plane in planes(target)]
    Overlay().draw(target, caption(verdict, RULES))
    allowed = np.zeros((height, width), bool)
    for x, y, w, h in regions(width, height):
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        allowed[y : y + h, x : x + w] = True
    for old, new, step in zip(before, planes(target), (1, 2, 2), strict=True):
        changed = old != new
        assert changed.any()
        assert not changed[~allowed[::step, ::step]].any()
    assert allowed.mean() < 0.6


def test_each_verdict_looks_different():
    panels = []
    x, y, width, height = panel_rectangle(640, 480)
    for verdict in VERDICTS:
        panels.append(drawn(verdict)[1][y : y + height, x : x + width].astype(int))
    for one in range(len(panels)):
        for other in range(one):
            assert (abs(panels[one] - panels[other]).max(axis=2) > 60).sum() > 100, (VERDICTS[one], VERDICTS[other])


def test_the_bar_is_as_long_as_the_confidence():
    def bar_end(confidence: float) -> int:
        image = drawn(Verdict(State.ITEM, "plastic", confidence))[1].astype(int)
        amber = (image[:, :, 0] > 180) & (image[:, :, 2] < 90) & (image[:, :, 1] > 110)
        x, y, width, height = panel_rectangle(640, 480)
        rows = amber[y + round(height * 0.79) : y + round(height * 0.84), x + height : x + width]
        return int(np.flatnonzero(rows.all(axis=0)).max())

    assert bar_end(0.3) < bar_end(0.6) < bar_end(0.95)
    assert bar_end(0.9) / bar_end(0.45) == pytest.approx(2, rel=0.1)


def test_a_long_or_foreign_name_fits_in_the_panel():
    for name in ("An extraordinarily long class name that somebody chose", "纸板", "Größe <b>&amp;</b>"):
        rules = load_rules([name])
        target = writable_yuv(frame(320, 240))
        Overlay().draw(target, caption(Verdict(State.ITEM, name, 0.5), rules))


def test_no_caption_is_cut_in_any_language(monkeypatch):
    fit, cut = Overlay._fit, []

    def watched(self, text, *room):
        fitted = fit(self, text, *room)
        cut.extend([text] if fitted != text else [])
        return fitted

    monkeypatch.setattr(Overlay, "_fit", watched)
    for words in languages().values():
        rules = load_rules(LABELS, words=words)
        for verdict in VERDICTS:
            Overlay().draw(writable_yuv(frame()), caption(verdict, rules))
    assert cut == []


def test_an_unchanged_caption_is_not_drawn_anew():
    overlay, words = Overlay(), caption(VERDICTS[0], RULES)
    overlay.draw(writable_yuv(frame()), words)
    overlay._panel = None  # drawing it again would fail
    overlay.draw(writable_yuv(frame()), words)


def test_classes_are_told_apart_without_colour():
    icons = [category.icon for category in RULES.categories.values()]
    assert len(set(icons)) == len(LABELS)
    assert set(icons) <= set(ICONS)
