"""STUN and TURN servers: what a browser is given, what it never gets, and hosted services."""

import io
import json
import logging
import threading
import urllib.error
from email.message import Message

import pytest
from streamlit_webrtc import credentials
from streamlit_webrtc.config import compile_rtc_configuration

from app.network import ice
from app.network.ice import IceServers, Provider, ProviderError, fetch, turn_rest
from app.settings import Settings, SettingsError
from tests.helpers.waiting import wait_until

TURN = ("stun:a:1", "turn:b:2", "turns:c?transport=tcp")
SERVERS = [{"urls": ["turn:t:1"], "username": "u", "credential": "c"}]


def test_servers_are_always_named():
    """An absent list makes streamlit-webrtc ask a public STUN server."""
    assert IceServers(Settings()).rtc_configuration() == {"iceServers": []}


def test_credentials_of_the_rest_scheme():
    """The credential is what `printf 1700000400 | openssl dgst -sha1 -hmac north -binary | base64` prints."""
    assert turn_rest("north", 600, 1_699_999_800.0) == ("1700000400", "8Kp1fvhLFxQZc/+aur005V6ScxQ=")


def test_each_run_gets_credentials_of_its_own_time_and_never_the_secret():
    now = [1_000_000.0]
    servers = IceServers(Settings(ice_servers=TURN, turn_secret="north", turn_lifetime=3600), clock=lambda: now[0])
    first = servers.rtc_configuration()
    now[0] += 3600
    second = servers.rtc_configuration()
    assert first["iceServers"][0] == second["iceServers"][0] == {"urls": ["stun:a:1"]}
    for configuration, moment in ((first, 1_000_000), (second, 1_003_600)):
        assert "north" not in json.dumps(configuration)
        for server in configuration["iceServers"][1:]:
            assert 3600 <= int(server["username"]) - moment <= 3600 + 150
    assert first["iceServers"][1]["credential"] != second["iceServers"][1]["credential"]


def test_a_day_of_reruns_makes_few_different_configurations():
    """streamlit-webrtc caches each for ever."""
    seen = {turn_rest("north", 86_400, 1e9 + minute * 60) for minute in range(24 * 60)}
    assert len(seen) <= 25


def test_the_same_credentials_for_everybody_where_so_set():
    settings = Settings(ice_servers=TURN[1:2], turn_username="me", turn_credential="key")
    assert IceServers(settings).rtc_configuration() == {
        "iceServers": [{"urls": ["turn:b:2"], "username": "me", "credential": "key"}]
    }


def test_the_servers_own_end_gets_the_same():
    settings = Settings(ice_servers=TURN, turn_username="me", turn_credential="key")
    compiled = compile_rtc_configuration(IceServers(settings).rtc_configuration()).iceServers
    assert [(s.urls, s.username, s.credential) for s in compiled] == [
        (["stun:a:1"], None, None),
        (["turn:b:2"], "me", "key"),
        (["turns:c?transport=tcp"], "me", "key"),
    ]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ice_servers": TURN}, "turn:b:2 needs turn_secret, or turn_username"),
        ({"ice_servers": ("stun:a:70000",)}, "'stun:a:70000' has no port from 1 to 65535"),
        ({"ice_servers": TURN, "turn_username": "x"}, "one of them is missing"),
        ({"ice_servers": TURN, "turn_secret": "4711", "turn_username": "x", "turn_credential": "4711"}, "not both"),
        ({"ice_servers": ("stun:a:1",), "turn_secret": "4711"}, "ice_servers has no address like turn:host:3478"),
        ({"turn_token": "4711"}, "need turn_provider: cloudflare, twilio, huggingface"),
        ({"turn_provider": "google"}, "must be one of cloudflare, twilio, huggingface; got 'google'"),
        ({"turn_provider": "cloudflare", "turn_token": "4711"}, "the TURN key's id"),
        ({"turn_provider": "twilio", "turn_account": "a"}, "its auth token"),
        ({"turn_provider": "huggingface"}, "an access token"),
        (
            {"turn_provider": "huggingface", "turn_token": "4711", "ice_servers": TURN, "turn_secret": "4711"},
            "take turn:b",
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_named(settings, words):
    with pytest.raises(SettingsError, match=words) as caught:
        IceServers(Settings(**settings))
    assert "4711" not in str(caught.value)


def test_twilio_without_its_package(monkeypatch):
    monkeypatch.setattr(ice.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="pip install twilio"):
        IceServers(Settings(turn_provider="twilio", turn_account="a", turn_token="4711"))


class Answer(io.BytesIO):
    status = 200


@pytest.mark.parametrize(
    ("settings", "host", "header", "answer"),
    [
        (
            Settings(turn_provider="cloudflare", turn_account="key", turn_token="4711"),
            "https://rtc.live.cloudflare.com/v1/turn/keys/key/",
            ("Authorization", "Bearer 4711"),
            {"iceServers": SERVERS},
        ),
        (
            Settings(turn_provider="huggingface", turn_token="4711"),
            "https://fastrtc-turn-server-login.hf.space/",
            ("X-hf-access-token", "4711"),
            {"username": "u", "credential": "c"},
        ),
    ],
)
def test_a_hosted_service_is_asked_with_its_keys(monkeypatch, settings, host, header, answer):
    """The service itself is out of reach; its answer is what its documentation shows."""
    asked = []

    def urlopen(request, timeout):
        asked.append(request)
        return Answer(json.dumps(answer).encode())

    monkeypatch.setattr(credentials.urllib.request, "urlopen", urlopen)
    for _ in range(2):  # not from streamlit-webrtc's cache
        servers = fetch(settings)
        assert (servers[0]["username"], servers[0]["credential"]) == ("u", "c")
    assert [request.full_url.startswith(host) for request in asked] == [True, True]
    assert asked[0].get_header(header[0]) == header[1]
    compile_rtc_configuration({"iceServers": servers})


@pytest.mark.parametrize(
    "problem", [TimeoutError(), urllib.error.HTTPError("https://x", 403, "Forbidden", Message(), None)]
)
def test_a_refusal_is_an_error_without_the_token(monkeypatch, problem):
    def urlopen(request, timeout):
        raise problem

    monkeypatch.setattr(credentials.urllib.request, "urlopen", urlopen)
    with pytest.raises(ProviderError, match="turn_provider cloudflare gave no TURN credentials") as caught:
        fetch(Settings(turn_provider="cloudflare", turn_account="key", turn_token="4711"))
    assert "4711" not in str(caught.value)


def test_an_unreachable_service_holds_up_a_page_for_two_seconds_at_most(monkeypatch):
    assert ice.PATIENCE_S <= 2
    monkeypatch.setattr(ice, "PATIENCE_S", 0.05)
    gate = threading.Event()

    def slow():
        gate.wait(30)
        return SERVERS

    provider = Provider("cloudflare", slow)
    assert provider.servers() == []  # although the service has not answered
    gate.set()
    wait_until(lambda: provider.servers() == SERVERS)


def test_a_failing_service_is_logged_once_and_asked_again(monkeypatch, caplog):
    monkeypatch.setattr(ice, "RETRY_S", 0.02)
    tries = []

    def fetch():
        tries.append(1)
        if len(tries) < 4:
            raise ProviderError("turn_provider cloudflare gave no TURN credentials (why)")
        return SERVERS

    with caplog.at_level(logging.WARNING):
        provider = Provider("cloudflare", fetch)
        wait_until(lambda: provider.servers() == SERVERS)
    assert len(caplog.records) == 1


class SteeredTime:
    """The module `time`, for one thread that sleeps until the test has let the time go by."""

    def __init__(self) -> None:
        self.now = 100.0
        self._wakes_at: float | None = None
        self._gone_by = threading.Condition()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._gone_by:
            self._wakes_at = end = self.now + seconds
            self._gone_by.wait_for(lambda: self.now >= end)

    def go_by(self, seconds: float) -> None:
        """Let seconds go by once the thread sleeps; if that wakes it, return when it sleeps again."""
        wait_until(lambda: self._wakes_at is not None)
        with self._gone_by:
            self.now += seconds
            if self.now >= self._wakes_at:
                self._wakes_at = None
                self._gone_by.notify_all()
        wait_until(lambda: self._wakes_at is not None)


def test_credentials_are_renewed_before_their_end_and_dropped_after_it(monkeypatch):
    time = SteeredTime()
    monkeypatch.setattr(ice, "time", time)
    first, second = [{"urls": "turn:1"}], [{"urls": "turn:2"}]
    answers = [first, second]

    def fetch():
        if not answers:
            raise ProviderError("gone")
        return answers.pop(0)

    provider = Provider("cloudflare", fetch)
    assert provider.servers() == first
    time.go_by(ice.PROVIDER_LIFETIME_S - ice.EARLY_S - 1)
    assert provider.servers() == first
    time.go_by(1)
    assert provider.servers() == second
    time.go_by(ice.PROVIDER_LIFETIME_S - ice.EARLY_S)  # the service is gone, but what it gave still holds
    assert provider.servers() == second
    time.go_by(ice.EARLY_S - 1)
    assert provider.servers() == second
    time.go_by(1)
    assert provider.servers() == []
