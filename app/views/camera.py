"""The camera of a page: streamlit-webrtc's component, with what it needs to send frames and get them back annotated."""

from collections.abc import Mapping
from typing import Any

import streamlit_webrtc

from app.services import services
from app.stream.processor import StreamProcessor
from app.stream.track import AnnotatedTrack, CameraSink

START = "Start camera"  # on the component's button, by which the pages' scripts find it


def camera(
    key: str,
    processor: StreamProcessor,
    facing: str | None = None,
    style: Mapping[str, str] | None = None,
    **translations: str,
) -> Any:
    """Draw the component, and return its context.

    key: of the component, which remembers the opened device by it. facing: "user" or "environment", where it matters.
    style: of the video, as React takes it. translations: of the component's buttons.
    """
    track = AnnotatedTrack(processor)  # used if this run opens a connection; no two connections may share one
    video: dict[str, Any] = {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}}
    if facing:
        video["facingMode"] = {"ideal": facing}
    attributes: dict[str, Any] = {"autoPlay": True, "playsInline": True, "muted": True, "controls": False}
    if style:
        attributes["style"] = dict(style)
    return streamlit_webrtc.webrtc_streamer(
        key=key,
        mode=streamlit_webrtc.WebRtcMode.SENDRECV,
        rtc_configuration=services().ice.rtc_configuration(),
        media_stream_constraints={"video": video, "audio": False},
        source_video_track=track,
        sink_video_track=CameraSink(track),
        video_html_attrs=attributes,
        translations={"start": START, **translations},
        media_toggle_controls=False,
    )
