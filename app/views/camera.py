"""The camera of a page: streamlit-webrtc's component, with what it needs to send frames and get them back annotated."""

import logging
from collections.abc import Mapping
from typing import Any

import streamlit_webrtc
from aiortc.exceptions import OperationError

from app.advice.languages import Language
from app.services import services
from app.stream.processor import StreamProcessor
from app.stream.track import AnnotatedTrack, CameraSink

log = logging.getLogger(__name__)

# The component's texts, and ours for them; the pages' scripts find its buttons by these
TEXTS = {
    "start": "camera_start",
    "stop": "camera_stop",
    "select_device": "camera_choose",
    "select_camera": "camera_select",
    "media_api_not_available": "camera_no_api",
    "device_ask_permission": "camera_ask",
    "device_not_available": "camera_none",
    "device_access_denied": "camera_denied",
}

# What keeps a camera's pictures away that only the browser knows; `static/camera.js` and `static/live.js` tell them
# apart, and each has a title and a detail of its own in the language files
TROUBLES = ("refused", "missing", "busy", "unsuitable", "no_api", "failed")


class VideoError(Exception):
    """The server cannot take the browser's video. The message is the beginning of two keys of the language files."""


def camera(
    key: str,
    processor: StreamProcessor,
    words: Language,
    facing: str | None = None,
    style: Mapping[str, str] | None = None,
) -> Any:
    """Draw the component.

    Args:
        key: Of the component, which remembers the opened device by it.
        processor: Annotates the frames.
        words: The language of the component's buttons.
        facing: "user" or "environment", where it matters.
        style: Of the video, as React takes it.

    Returns:
        The component's context.

    Raises:
        VideoError: The server cannot take the browser's video. The log says why.
    """
    track = AnnotatedTrack(processor)  # used if this run opens a connection; no two connections may share one
    video: dict[str, Any] = {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}}
    if facing:
        video["facingMode"] = {"ideal": facing}
    attributes: dict[str, Any] = {"autoPlay": True, "playsInline": True, "muted": True, "controls": False}
    if style:
        attributes["style"] = dict(style)
    try:
        return streamlit_webrtc.webrtc_streamer(
            key=key,
            mode=streamlit_webrtc.WebRtcMode.SENDRECV,
            rtc_configuration=services().ice.rtc_configuration(),
            media_stream_constraints={"video": video, "audio": False},
            source_video_track=track,
            sink_video_track=CameraSink(track),
            video_html_attrs=attributes,
            translations={name: words(key) for name, key in TEXTS.items()},
            media_toggle_controls=False,
        )
    # Whatever a browser's offer can set off in there: Streamlit would show it to the visitor
    except Exception as error:
        log.exception("The connection that a browser offered cannot be made")
        # what aiortc raises if an offer has no codec that it knows
        raise VideoError("camera_codec" if isinstance(error, OperationError) else "camera_failed") from error
