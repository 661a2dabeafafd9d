"""From photo files to table, CSV and cards."""

import csv
import io
import re

import numpy as np
import pytest
from PIL import Image

from app.advice.bins import load_rules
from app.advice.languages import english
from app.kiosk.screens import Scene, Screen
from app.photo.results import PhotoResult, classify_photo, photo_caption, rows, to_csv
from app.views.kiosk_html import screen_html, spoken_html
from app.views.ui import photo_card, photo_error, probability_bars, verdict_card
from model import PhotoError, read_photo
from tests.helpers.fakes import LABELS, StubClassifier, prediction

ENGLISH = english()
RULES = load_rules(LABELS)


def png(width: int = 900, height: int = 300) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_good_and_bad_files_side_by_side():
    good = classify_photo("a.png", png(), StubClassifier())
    bad = classify_photo("b.png", b"nonsense", StubClassifier())
    large = classify_photo("c.png", png(), StubClassifier(), lambda content: read_photo(content, 1000))
    assert good.prediction == prediction()
    assert good.picture_uri.startswith("data:image/jpeg;base64,")
    assert len(good.picture_uri) < 50_000
    assert "not an image" in bad.message(ENGLISH)
    assert "megapixels" in large.message(ENGLISH)
    assert bad.prediction is None


@pytest.mark.parametrize(
    ("guess", "title", "goes_into"),
    [
        (prediction("glass", 0.9), "Glass", "Glass"),
        (prediction("glass", 0.5), "Not sure", "General waste"),
        (prediction("glass", 0.9, known=False), "Nothing I know", "General waste"),
    ],
)
def test_answers(guess, title, goes_into):
    words = photo_caption(guess, 0.6, RULES)
    assert words.title == title
    assert [bin.name for bin in words.bins] == [goes_into]


def test_rows_and_csv_have_one_line_a_photo():
    table = rows([PhotoResult("a.png", prediction()), PhotoResult("b.png", error=PhotoError("damaged"))], 0.6, RULES)
    read = list(csv.DictReader(io.StringIO(to_csv(table, ENGLISH))))
    assert [row["file"] for row in read] == ["a.png", "b.png"]
    assert float(read[0]["glass"]) == pytest.approx(0.9)
    assert read[0]["label"] == "glass"
    assert (read[1]["answer"], read[1]["label"], read[1]["glass"]) == (PhotoError("damaged").args[0], "", "")


def test_formulas_in_names_are_text_in_the_csv():
    for name in ("=1+1", "+x", "-x", "@x", "\tx"):
        text = to_csv(rows([PhotoResult(name, prediction())], 0.6, RULES), ENGLISH)
        assert next(csv.DictReader(io.StringIO(text)))["file"] == "'" + name


def test_html_in_names_is_text_on_the_page():
    evil = "<img src=x onerror=alert(1)>"
    rules = load_rules([evil])
    guess = prediction()
    words = photo_caption(type(guess)(evil, 0.9, {evil: 0.9}, True, 1.0), 0.6, rules)
    for html in (
        photo_card(evil, "", words, probability_bars({evil: 0.9}, rules)),
        photo_error(evil, evil),
        verdict_card(words),
    ):
        assert "onerror" in html
        assert "<img src=x" not in html


def test_formulas_in_class_and_bin_names_are_text_in_the_csv(tmp_path):
    label = "=cmd|' /C calc'!A0"
    file = tmp_path / "rules.toml"
    file.write_text(
        'default = "b"\n[bins.b]\nname = "@SUM(1)"\ncolor = "#112233"\nicon = "question"\n'
        f'[labels."{label}"]\ncolor = "#112233"\nicon = "question"\nbins = ["b"]\nname = "-2+3"\n'
    )
    rules = load_rules([label], file)
    guess = type(prediction())(label, 0.9, {label: 0.9}, True, 1.0)
    (row,) = csv.reader(io.StringIO(to_csv(rows([PhotoResult("a.png", guess)], 0.6, rules), ENGLISH).split("\n", 1)[1]))
    header = to_csv(rows([PhotoResult("a.png", guess)], 0.6, rules), ENGLISH).split("\n")[0]
    assert row == ["a.png", "'-2+3", "'" + label, "0.9", "'@SUM(1)", "0.9"]
    assert f"'{label}" in header


def test_html_in_bins_is_text_on_the_page_and_on_the_kiosk(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    file = tmp_path / "rules.toml"
    file.write_text(
        f'default = "b"\n[bins.b]\nname = "{evil}"\nhint = "{evil}"\ncolor = "#112233"\nicon = "question"\n'
        f'[labels.glass]\ncolor = "#112233"\nicon = "question"\nbins = ["b"]\nname = "{evil}"\nadvice = "{evil}"\n'
    )
    rules = load_rules(["glass"], file)
    said = photo_caption(prediction("glass", 0.9), 0.6, rules)
    answer = Screen(Scene.ANSWER, "glass", 0.9)
    for html in (
        verdict_card(said),
        probability_bars({"glass": 0.9}, rules),
        screen_html(answer, rules),
        screen_html(Screen(Scene.THANKS, "glass", 0.9), rules),
        spoken_html(answer, rules, aloud=True),
    ):
        assert "onerror" in html
        assert "<img src=x" not in html


def test_bars_say_no_more_than_the_answer_does():
    bars = probability_bars({"glass": 0.9999, "metal": 0.0001}, load_rules(["glass", "metal"]))
    assert re.findall(r">(\d+)%", bars) == ["99", "0"]
