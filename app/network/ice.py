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
PROVIDER_LIFETIME_S = 3600  # streamlit-webrtc's helpers ask for credentials that last so long, or longer
EARLY_S = 900  # a provider's credentials are renewed so long before their end, which leaves time for many attempts
RETRY_S = 60  # from a failed attempt to the next
PATIENCE_S = 2.0  # how long a page waits for a provider's first answer

log = logging.getLogger(__name__)


class ProviderError(RuntimeError):
    """A hosted TURN service gave no credentials. The message says which and why."""


class IceServers:
    """The STUN and TURN servers that the settings name, as an RTCConfiguration with fresh credentials."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Check the settings, and start asking the hosted service if they name one.

        Args:
            settings: All of them; those for STUN and TURN are used.
            clock: Gives Unix seconds.

        Raises:
            SettingsError: The settings do not fit together, or a hosted service's package is missing.
        """
        check(settings)
        self._settings = settings
        self._clock = clock
        self._provider: Provider | None = None
        if settings.turn_provider:
            self._provider = Provider(settings.turn_provider, functools.partial(fetch, settings))

    def rtc_configuration(self) -> dict[str, list[Server]]:
        """The RTCConfiguration for a page that is run now.

        The server's own end (aiortc) uses the first STUN and the first TURN address in it, and the browser uses all.

        Returns:
            A dictionary as in https://www.w3.org/TR/webrtc/#rtcconfiguration-dictionary. It has the key `iceServers`
            even if there are none: without the key, streamlit-webrtc would ask a public STUN server, and on a network
            without internet the video would wait for it.
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
    """Short-lived credentials for a TURN server that shares a secret with this one.

    They are made as in draft-uberti-behave-turn-rest-00, which coturn's `use-auth-secret` follows. Their end is rounded
    up to a multiple of a 24th of the lifetime, because streamlit-webrtc keeps every configuration that differs from the
    others for ever.

    Args:
        secret: What the two servers share.
        lifetime: How many seconds the credentials are good for; they last up to a 24th longer.
        now: Unix seconds.

    Returns:
        The user name, which says when the credentials end, and the credential.
    """
    step = max(1, lifetime // 24)
    username = str(-(-int(now + lifetime) // step) * step)
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


class Provider:
    """A hosted service's TURN servers. A thread of its own asks for them, so that no page waits for another network."""

    def __init__(self, name: str, fetch: Callable[[], list[Server]]) -> None:
        """Start the thread, which asks at once.

        Args:
            name: The service's, for messages.
            fetch: Asks the service once, and raises ProviderError if it gives nothing.
        """
        self._name = name
        self._fetch = fetch
        self._answered = threading.Event()
        # the servers and when their credentials end; always replaced as a whole, so that no lock is needed
        self._held: tuple[list[Server], float] = ([], 0.0)
        threading.Thread(target=self._run, name="turn-provider", daemon=True).start()

    def servers(self) -> list[Server]:
        """The servers whose credentials are valid now; empty while there are none.

        Only the service's first answer is waited for, for PATIENCE_S at most.
        """
        self._answered.wait(PATIENCE_S)
        servers, end = self._held
        return servers if time.monotonic() < end else []

    def _run(self) -> None:
        failing = False
        while True:
            began = time.monotonic()
            try:
                self._held = self._fetch(), began + PROVIDER_LIFETIME_S
                failing = False
            except ProviderError as error:
                if not failing:
                    log.warning("%s; video between networks may not start. Trying again each minute.", error)
                failing = True
            self._answered.set()
            time.sleep(RETRY_S if failing else PROVIDER_LIFETIME_S - EARLY_S)


def fetch(settings: Settings) -> list[Server]:
    """Ask the hosted service that the settings name, with streamlit-webrtc's helper for it.

    Blocks for some ten seconds at most.

    Args:
        settings: `turn_provider` and its keys are used.

    Returns:
        The service's servers, with credentials.

    Raises:
        ProviderError: The service did not answer, or gave no credentials.
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
    helper.clear()  # its own cache may keep credentials until after their end
    try:
        servers = helper(*arguments)
    except problems as error:
        raise ProviderError(f"turn_provider {settings.turn_provider} gave no TURN credentials ({error})") from error
    return [dict(server) for server in servers]


def check(settings: Settings) -> None:
    """Check that the settings for STUN and TURN fit together.

    Raises:
        SettingsError: They do not, or a hosted service's package is missing. No message has a secret in it.
    """
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
