"""STUN and TURN servers for both ends of a connection."""

from typing import Any


def rtc_configuration(ice_servers: tuple[str, ...]) -> dict[str, Any]:
    """The RTCConfiguration (https://www.w3.org/TR/webrtc/#rtcconfiguration-dictionary) for a list of addresses.

    Always names its servers, even if there are none: left out, streamlit-webrtc asks a public STUN server, and on a
    network without internet the video then waits for it.
    """
    return {"iceServers": [{"urls": [address]} for address in ice_servers]}
