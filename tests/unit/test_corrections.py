"""What becomes of "That was wrong": on the pages, in the counts, and in the folder of doubtful pictures."""

import json
import logging
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import streamlit_webrtc
from streamlit.testing.v1 import AppTest

import app.services
from app.advice.languages import english
from app.answers.counts import Counts
from app.answers.doubtful import Doubtful, DoubtfulError
from app.answers.report import correction_table
from app.services import services
from app.stream.places import Places
from tests.helpers.drawings import drawn_photo
from tests.helpers.fakes import frame, prediction
from tests.helpers.stream import Stream
from tests.helpers.trashnet import ROOT

PICTURE = np.arange(224 * 224 * 3, dtype=np.uint32).reshape(224, 224, 3).astype(np.uint8)


@pytest.fixture
def counts(tmp_path):
    counts = Counts(tmp_path / "counts.sqlite3", 30)
    yield counts
    counts.close()


@pytest.fixture
def use(monkeypatch, counts):
    """Lets the pages count corrections, and keep their pictures if a folder is given."""

    def use(doubtful=None):
        shared = replace(services(), counts=counts, doubtful=doubtful, places=Places(5))
        monkeypatch.setattr(app.services, "services", lambda: shared)

    return use


def open_page(name: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app" / name), default_timeout=30).run()
    assert not at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(element.proto.body for element in at.get("html"))


def press(at: AppTest, ending: str) -> AppTest:
    [button] = [button for button in at.button if button.key and button.key.endswith(ending)]
    at = button.click().run()
    assert not at.exception
    return at


def correct(at: AppTest, right: str) -> AppTest:
    at = press(at, "-wrong")
    [labels] = [group for group in at.button_group if group.key and group.key.endswith("-right")]
    at = labels.set_value(right).run()
    assert not at.exception
    assert "Thank you for the correction." in said(at)
    return at


@pytest.mark.parametrize("kept", [False, True])
def test_a_photo_is_corrected_once_and_kept_only_if_that_is_allowed(use, counts, tmp_path, kept):
    folder = tmp_path / "doubtful"
    use(Doubtful(folder, "model 1") if kept else None)
    at = open_page("views/photo.py")
    at.file_uploader[0].set_value(("lid.jpg", drawn_photo("metal"), "image/jpeg")).run()
    assert ("its picture is kept" in "\n".join(caption.value for caption in at.caption)) == kept
    at = correct(at, "glass")
    assert counts.corrections() == [("metal", "glass", 1)]
    assert not [button for button in at.button if button.key and button.key.endswith("-wrong")]
    assert folder.exists() == kept
    if kept:
        [picture], [record] = folder.glob("*.png"), folder.glob("*.json")
        assert cv2.imread(str(picture)).shape == (224, 224, 3)
        record = json.loads(record.read_text())
        assert (record["said"], record["right"], record["model"]) == ("metal", "glass", "model 1")
        assert sum(record["probabilities"].values()) == pytest.approx(1, abs=0.001)


def test_the_live_page_corrects_what_was_said_last(use, counts, tmp_path, monkeypatch):
    made = []
    streamer = SimpleNamespace(state=SimpleNamespace(signalling=False, playing=False))
    monkeypatch.setattr(streamlit_webrtc, "webrtc_streamer", lambda **o: made.append(o) or streamer)
    folder = tmp_path / "doubtful"
    use(Doubtful(folder, "model 1"))
    at = press(open_page("navigation.py"), "-wrong")
    assert "There has been no answer yet." in said(at)
    processor = made[-1]["source_video_track"].processor
    assert processor.keeps_picture
    processor._said = SimpleNamespace(
        verdict=SimpleNamespace(label="metal", probabilities={"metal": 1}), picture=PICTURE
    )
    at = press(press(at, "-wrong"), "-cancel")
    assert counts.corrections() == []
    at = correct(at, "")  # none of these
    at = correct(at, "paper")
    assert counts.corrections() == [("metal", "", 1), ("metal", "paper", 1)]
    rgb = cv2.imread(str(next(folder.glob("*.png"))))[..., ::-1]
    assert np.array_equal(rgb, PICTURE)
    assert len(list(folder.glob("*.png"))) == 2


def test_a_stream_remembers_its_last_answer_and_its_picture_only_if_told_to():
    stream = Stream()
    stream.classifier.answer = lambda rgb: prediction("glass", 0.9)
    for keeps in (False, True):
        stream.processor.keeps_picture = keeps
        for _ in range(60):
            stream.show()
        said = stream.processor.said
        assert said.verdict.label == "glass"
        assert (said.picture is not None) == keeps
    assert said.picture.shape[2] == 3
    stream.processor.recv(frame())
    stream.engine.stop()


def test_corrections_are_in_the_operators_table_and_forgotten_in_time(tmp_path):
    now = 1_000_000.0
    counts = Counts(tmp_path / "c.sqlite3", 2, clock=lambda: now)
    for right in ("glass", "glass", ""):
        counts.correct("metal", right)
    counts.correct("", "paper")
    assert counts.total() == 0
    rules = services().rules_in(english())
    rows = [tuple(row.values()) for row in correction_table(counts.corrections(), rules)]
    assert rows == [("Metal", "Glass", 2), ("Not sure", "Paper", 1), ("Metal", "None of these", 1)]
    now += 3 * 86400
    counts.correct("paper", "metal")
    assert counts.corrections() == [("paper", "metal", 1)]
    counts.close()


@pytest.mark.parametrize("bounds", [{"most": 2}, {"most_bytes": 130_000}])
def test_a_full_folder_keeps_what_it_has_and_takes_no_more(tmp_path, bounds, caplog):
    noise = np.random.default_rng(1).integers(0, 255, (128, 128, 3), np.uint8)  # 49 KB as a PNG file
    doubtful = Doubtful(tmp_path / "d", "m", **bounds)
    assert [doubtful.keep(noise, "metal", "glass", {}) for _ in range(4)] == [True, True, False, False]
    assert len(list((tmp_path / "d").glob("*.png"))) == len(list((tmp_path / "d").glob("*.json"))) == 2
    assert "is full" in caplog.text


def test_a_folder_that_cannot_be_used_is_named_at_the_start_and_later_in_the_log(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with pytest.raises(DoubtfulError, match="file: cannot be made"):
        Doubtful(tmp_path / "file", "m")
    caplog.set_level(logging.WARNING)
    doubtful = Doubtful(tmp_path / "gone", "m")
    (tmp_path / "gone").rmdir()
    assert not doubtful.keep(PICTURE, "metal", "glass", {})
    assert "cannot be kept" in caplog.text
