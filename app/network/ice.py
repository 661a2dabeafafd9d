"""STUN and TURN servers for both ends of a connection, with credentials that do not last."""

import base64
import functools
import hashlib
import hmac
import importlib.util
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from app.settings import Settings, SettingsError

Server = dict[str, Any]  # an RTCIceServer: https://www.w3.org/TR/webrtc/#rtciceserver-dictionary

PROVIDERS = ("cloudflare", "twilio", "huggingface")
PROVIDER_LIFETIME = 3600  # seconds for which streamlit-webrtc's helpers ask, or more
EARLY = 900  # seconds before the end of which a provider's credentials are renewed: time for many tries
RETRY = 60  # seconds from a failed try to the next
PATIENCE = 2.0  # seconds that a page waits for a provider's first answer

log = logging.getLogger(__name__)


class ProviderError(RuntimeError):
    """A hosted TURN service gave no credentials. The message says which and why."""


class IceServers:
    """What the settings name, as an RTCConfiguration with credentials of the moment.

    Raises SettingsError for settings that do not fit together, or a provider's package that is missing.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        check(settings)
        self._settings = settings
        self._clock = clock
        self._provider: Provider | None = None
        if settings.turn_provider:
            self._provider = Provider(settings.turn_provider, functools.partial(fetch, settings))

    def rtc_configuration(self) -> dict[str, list[Server]]:
        """The RTCConfiguration (https://www.w3.org/TR/webrtc/#rtcconfiguration-dictionary) for a page run of now.

        Always names its servers, even if there are none: left out, streamlit-webrtc asks a public STUN server, and on
        a network without internet the video then waits for it. The server's end (aiortc) uses the first STUN and the
        first TURN address of it, the browser all.
        """
        servers = [self._server(address) for address in self._settings.ice_servers]
        return {"iceServers": servers + (self._provider.servers() if self._provider else [])}

    def _server(self, address: str) -> Server:
        if address.startswith("stun"):
            return {"urls": [address]}
        if self._settings.turn_secret:
            username, credential = turn_rest(self._settings.turn_secret, self._settings.turn_lifetime, self._clock())
        else:
            username, credential = self._settings.turn_username, self._settings.turn_credential
        return {"urls": [address], "username": username, "credential": credential}


def turn_rest(secret: str, lifetime: int, now: float) -> tuple[str, str]:
    """User name and credential for a TURN server that knows the secret, good for lifetime seconds and a little more.

    As in draft-uberti-behave-turn-rest-00 and coturn's `use-auth-secret`. The end is rounded up to the next 24th of
    the lifetime: streamlit-webrtc keeps each configuration that differs for ever.
    """
    step = max(1, lifetime // 24)
    username = str(-(-int(now + lifetime) // step) * step)
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


class Provider:
    """A hosted service's TURN servers, fetched by a thread of its own, so that no page waits for somebody's network."""

    def __init__(self, name: str, fetch: Callable[[], list[Server]]) -> None:
        """fetch: asks the service once; raises ProviderError."""
        self._name = name
        self._fetch = fetch
        self._answered = threading.Event()
        self._held: tuple[list[Server], float] = ([], 0.0)  # replaced as a whole; the time at which they end
        threading.Thread(target=self._run, name="turn-provider", daemon=True).start()

    def servers(self) -> list[Server]:
        """What is valid now; empty while there is nothing. Waits at most PATIENCE, and only for the first answer."""
        self._answered.wait(PATIENCE)
        servers, end = self._held
        return servers if time.monotonic() < end else []

    def _run(self) -> None:
        failing = False
        while True:
            began = time.monotonic()
            try:
                self._held = self._fetch(), began + PROVIDER_LIFETIME
                failing = False
            except ProviderError as error:
                if not failing:
                    log.warning("%s; video between networks may not start. Trying again each minute.", error)
                failing = True
            self._answered.set()
            time.sleep(RETRY if failing else PROVIDER_LIFETIME - EARLY)


def fetch(settings: Settings) -> list[Server]:
    """Ask the provider that the settings name, with streamlit-webrtc's helper for it. Blocks up to some ten seconds.

    Raises ProviderError.
    """
    from streamlit_webrtc import credentials

    problems: tuple[type[Exception], ...] = (OSError, ValueError, KeyError, TypeError)
    arguments = [settings.turn_account, settings.turn_token]
    match settings.turn_provider:
        case "cloudflare":
            helper = credentials.get_cloudflare_ice_servers
        case "twilio":
            from twilio.base.exceptions import TwilioException

            problems += (TwilioException,)
            helper = credentials.get_twilio_ice_servers
        case _:
            helper = credentials.get_hf_ice_servers
            arguments = [settings.turn_token]
    helper.clear()  # its own cache keeps credentials until they end, or past it
    try:
        servers = helper(*arguments)
    except problems as error:
        raise ProviderError(f"turn_provider {settings.turn_provider} gave no TURN credentials ({error})") from error
    return [dict(server) for server in servers]


def check(settings: Settings) -> None:
    """Raises SettingsError where the settings for STUN and TURN do not fit together."""
    for address in settings.ice_servers:
        port = address.split("?")[0].split(":")[2:]
        if port and not 0 < int(port[0]) < 65536:
            raise SettingsError(f"ice_servers: {address!r} has no port from 1 to 65535")
    turn = next((address for address in settings.ice_servers if address.startswith("turn")), None)
    secret, pair = settings.turn_secret, (settings.turn_username, settings.turn_credential)
    if any(pair) and not all(pair):
        raise SettingsError("turn_username and turn_credential go together; one of them is missing")
    if secret and any(pair):
        raise SettingsError("give turn_secret, or turn_username and turn_credential, not both")
    if turn and not (secret or any(pair)):
        raise SettingsError(f"ice_servers: {turn} needs turn_secret, or turn_username and turn_credential")
    if not turn and (secret or any(pair)):
        raise SettingsError("turn_secret or turn_username is set, but ice_servers has no address like turn:host:3478")

    provider, account, token = settings.turn_provider, settings.turn_account, settings.turn_token
    if not provider:
        if account or token:
            raise SettingsError(f"turn_account and turn_token need turn_provider: {', '.join(PROVIDERS)}")
        return
    if provider not in PROVIDERS:
        raise SettingsError(f"turn_provider must be one of {', '.join(PROVIDERS)}; got {provider!r}")
    if turn:
        raise SettingsError(f"turn_provider {provider} brings its own servers: take {turn} out of ice_servers")
    if not token or not (account or provider == "huggingface"):
        needs = {
            "cloudflare": "turn_account (the TURN key's id) and turn_token (its API token)",
            "twilio": "turn_account (the account's SID) and turn_token (its auth token)",
            "huggingface": "turn_token (an access token)",
        }
        raise SettingsError(f"turn_provider {provider} needs {needs[provider]}")
    if provider == "twilio" and importlib.util.find_spec("twilio") is None:
        raise SettingsError("turn_provider twilio needs a package: .venv/bin/pip install twilio")
