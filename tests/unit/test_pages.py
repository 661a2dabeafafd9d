"""The pages' scripts, run by Streamlit's AppTest. The camera component needs a browser: see test_browser.py."""

import os
from dataclasses import replace
from types import SimpleNamespace

import pytest
import streamlit_webrtc
from streamlit.testing.v1 import AppTest

import app.services
from app.answers.counts import Counts
from app.services import services
from app.stream.places import Places
from app.views.samples import FOLDER
from tests.helpers.drawings import drawn_photo
from tests.helpers.fakes import png
from tests.helpers.trashnet import ROOT

APP = ROOT / "app"


def use_places(monkeypatch, places: Places) -> None:
    """Run the pages with the process's services but these places."""
    shared = replace(services(), places=places)
    monkeypatch.setattr(app.services, "services", lambda: shared)


def html(at: AppTest) -> str:
    return "\n".join(element.proto.body for element in at.get("html"))


@pytest.fixture
def live(monkeypatch):
    """The live page without its component; the component's arguments are in `live.calls`."""
    calls = []
    streamer = SimpleNamespace(state=SimpleNamespace(signalling=False, playing=False))

    def component(**options):
        calls.append(options)
        return streamer

    use_places(monkeypatch, Places(1))
    monkeypatch.setattr(streamlit_webrtc, "webrtc_streamer", component)
    at = AppTest.from_file(str(APP / "navigation.py"), default_timeout=30).run()
    assert not at.exception
    at.calls, at.streamer = calls, streamer
    return at


@pytest.fixture
def photo():
    at = AppTest.from_file(str(APP / "views" / "photo.py"), default_timeout=30).run()
    assert not at.exception
    return at


def test_live_page_starts_with_an_invitation_and_every_class(live):
    text = html(live)
    assert "Hold an item up" in text
    for name in ("Cardboard", "Glass", "Metal", "Paper", "Plastic", "Other rubbish"):
        assert name in text
    for figure in (
        "Video",
        "Pictures recognised",
        "Time to recognise one",
        "From picture to answer",
        "Pictures passed over",
    ):
        assert figure in text


def test_live_component_sends_and_receives_off_the_event_loop_and_asks_no_public_server(live):
    options = live.calls[-1]
    assert options["mode"] is streamlit_webrtc.WebRtcMode.SENDRECV
    assert options["rtc_configuration"] == {"iceServers": []}
    assert options["sink_video_track"]._track is options["source_video_track"]
    assert options["media_stream_constraints"]["audio"] is False


def test_choosing_the_other_camera_opens_it_unmirrored(live):
    front = live.calls[-1]
    at = live.segmented_control(key="camera").set_value("Rear").run()
    assert not at.exception
    rear = live.calls[-1]
    assert front["media_stream_constraints"]["video"]["facingMode"] == {"ideal": "user"}
    assert rear["media_stream_constraints"]["video"]["facingMode"] == {"ideal": "environment"}
    assert front["key"] != rear["key"]
    assert front["source_video_track"].processor.mirrored
    assert not rear["source_video_track"].processor.mirrored


@pytest.mark.parametrize(("named", "opened"), [("Rear", "environment"), ("Side", "user")])
def test_a_page_that_begins_anew_opens_the_camera_in_its_address(live, monkeypatch, named, opened):
    use_places(monkeypatch, Places(1))  # the fixture's visitor has the other's only one
    at = AppTest.from_file(str(APP / "navigation.py"), default_timeout=30)
    at.query_params["camera"] = named
    at.run()
    assert not at.exception
    assert live.calls[-1]["media_stream_constraints"]["video"]["facingMode"] == {"ideal": opened}


def test_threshold_reaches_the_stream_and_the_stream_outlives_reruns(live):
    at = live.slider(key="threshold").set_value(90).run()
    at = at.toggle(key="heat").set_value(True).run()
    assert not at.exception
    processor = live.calls[-1]["source_video_track"].processor
    assert processor.shows_heat
    assert processor is live.calls[0]["source_video_track"].processor
    assert processor._tracker.smoothing.enter == pytest.approx(0.9)


@pytest.mark.parametrize(("asked", "said"), [("germny", 1), ("germany", 0)])
def test_rules_that_there_are_not_are_said_on_the_kiosk(live, monkeypatch, asked, said):
    use_places(monkeypatch, Places(1))
    at = AppTest.from_file(str(APP / "views" / "kiosk.py"), default_timeout=30)
    at.query_params["bins"] = asked
    at.run()
    assert not at.exception
    assert html(at).count(f"No rules are called “{asked}”. There are: default, germany, uk, usa.") == said


def test_when_all_places_are_taken_the_page_says_who_is_next_and_offers_a_photo(monkeypatch):
    monkeypatch.setattr(streamlit_webrtc, "webrtc_streamer", lambda **options: pytest.fail("has no place"))
    places = Places(1)
    places.ask("somebody else")
    use_places(monkeypatch, places)
    at = AppTest.from_file(str(APP / "navigation.py"), default_timeout=30).run()
    assert not at.exception
    assert "All places are taken" in html(at)
    assert "You are next" in html(at)


def test_one_photo_gives_a_card_at_once(photo):
    photo.file_uploader[0].set_value(("lid.jpg", drawn_photo("metal"), "image/jpeg")).run()
    assert not photo.exception
    text = html(photo)
    assert "lid.jpg" in text
    assert "Metal" in text
    assert "wb-alone" in text
    assert "data:image/jpeg;base64," in text
    assert "data:image/png;base64," not in text
    photo.toggle[0].set_value(True).run()
    assert not photo.exception
    assert "data:image/png;base64," in html(photo)  # the heat map over it


def test_every_sample_is_answered_right_and_small_and_gives_way_to_a_file(photo):
    files = sorted(FOLDER.glob("*.jpg"))
    assert len(files) == 4
    for file in files:
        assert file.stat().st_size < 20_000
        photo.button(key=f"sample-{file.stem}").click().run()
        assert not photo.exception
        [result] = photo.session_state["photos"].values()
        assert (result.prediction.label, result.prediction.known) == (file.stem, True)
        assert result.prediction.confidence > services().settings.threshold
        assert html(photo).count('class="shot"') == 1
    photo.file_uploader[0].set_value(("own.png", png(), "image/png")).run()
    assert "own.png" in html(photo)
    assert html(photo).count('class="shot"') == 1
    assert "wb-sample" not in html(photo)


def test_bad_files_are_named_and_the_others_still_answered(photo):
    files = [
        ("good.png", png(), "image/png"),
        ("other.png", png((20, 60, 20)), "image/png"),
        ("text.jpg", b"hello", "image/jpeg"),
        ("cut.png", png()[:60], "image/png"),
    ]
    photo.file_uploader[0].set_value(files).run()
    assert not photo.exception
    text = html(photo)
    assert text.count('role="alert"') == 2
    assert "<b>text.jpg</b> is not an image" in text
    assert "<b>cut.png</b> is damaged" in text
    assert text.count('class="shot"') == 2
    assert list(photo.dataframe[0].value["file"]) == [name for name, _, _ in files]
    table = photo.dataframe[0].proto
    assert (table.HasField("placeholder"), table.placeholder) == (True, "")  # else a bad file's cells say "None"
    assert len(photo.get("download_button")) == 1


def test_more_photos_than_allowed_are_left_out_and_it_is_said(monkeypatch):
    shared = replace(services(), settings=replace(services().settings, max_photos=2))
    monkeypatch.setattr(app.services, "services", lambda: shared)
    photo = AppTest.from_file(str(APP / "views" / "photo.py"), default_timeout=30).run()
    photo.file_uploader[0].set_value([(f"{n}.png", png(), "image/png") for n in range(5)]).run()
    assert not photo.exception
    assert photo.warning[0].value == "2 photos at once are the most: the last 3 are left out."
    assert list(photo.dataframe[0].value["file"]) == ["0.png", "1.png"]


def test_removed_files_are_forgotten(photo):
    photo.file_uploader[0].set_value([("a.png", png(), "image/png"), ("b.png", png(), "image/png")]).run()
    assert len(photo.session_state["photos"]) == 2
    photo.file_uploader[0].set_value([]).run()
    assert photo.session_state["photos"] == {}


def test_a_photo_from_the_browsers_camera(photo):
    photo.segmented_control[0].set_value("Camera").run()
    assert not photo.exception
    photo.camera_input[0].set_value(("shot.jpg", png(), "image/jpeg")).run()
    assert not photo.exception
    assert 'class="shot"' in html(photo)


def test_a_video_that_does_not_get_through_is_said_until_it_does(live):
    words, key = "The video does not get through", "live-front-connecting"
    live.streamer.state.signalling = True
    assert words not in html(live.run())
    live.session_state[key] -= 9  # seconds later
    assert words in html(live.run())
    live.streamer.state.signalling = False  # the browser has given up
    assert words in html(live.run())
    live.streamer.state.playing = True
    assert words not in html(live.run())


def test_a_file_whose_name_is_not_utf_8_is_shown_all_the_same(monkeypatch, tmp_path):
    counts = Counts(tmp_path / os.fsdecode(b"z\xe4hler.sqlite3"), 30)
    shared = replace(services(), counts=counts)
    monkeypatch.setattr(app.services, "services", lambda: shared)
    page = AppTest.from_file(str(APP / "views" / "operator_page.py"), default_timeout=30)
    page.session_state["operator"] = True  # signed in
    page.run()
    assert not page.exception
    assert "z\ufffdhler.sqlite3" in page.caption[0].value
    counts.close()
