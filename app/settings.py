"""One frozen, checked settings object, from a TOML file and the environment."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PREFIX = "WHICHBIN_"


class SettingsError(ValueError):
    """A setting cannot be used. The message names where it came from, the setting, and what is allowed."""


@dataclass(frozen=True)
class Settings:
    """What an operator can change. Each is a key of the TOML file, or WHICHBIN_<NAME> in the environment.

    model: artifact folder; empty for the shipped one. bins: rules file; empty for the default one.
    threshold: smoothed confidence from which a label is said, 0.4 to 0.95.
    ice_servers: STUN and TURN addresses, comma-separated in the environment; none are needed on one network.
    turn_secret: shared with the TURN servers, for credentials good for turn_lifetime seconds; or else turn_username and
    turn_credential. turn_provider: a hosted TURN service instead; turn_account and turn_token are its keys.
    max_streams: visitors who may stream at once; 0 for as many as the cores carry.
    metrics_port: of the Prometheus endpoint; 0 for none. metrics_address: where it listens.
    max_photo_mib: largest photo file in MiB. max_photo_megapixels: most pixels a photo may unpack to, in millions.
    max_photo_seconds: most processor time that unpacking a photo may take. max_photos: most that are answered at once.
    max_uploads_mib: most memory that the files of all visitors together may take.
    count_answers: count the kiosk's answers in counts_file, counts.sqlite3 if empty, for counts_days days.
    operator_password: of the page with the counts; empty for none, which opens it to nobody.
    operators: e-mail addresses that may see it after signing in with OpenID Connect.
    kiosk_language: two letters. kiosk_speech, kiosk_sound: whether the kiosk speaks its answers, plays a sound.
    """

    model: str = ""
    bins: str = ""
    threshold: float = 0.60
    ice_servers: tuple[str, ...] = ()
    turn_secret: str = field(default="", repr=False)
    turn_lifetime: int = 86_400
    turn_username: str = ""
    turn_credential: str = field(default="", repr=False)
    turn_provider: str = ""
    turn_account: str = ""
    turn_token: str = field(default="", repr=False)
    max_streams: int = 0
    metrics_port: int = 0
    metrics_address: str = "127.0.0.1"
    max_photo_mib: int = 20
    max_photo_megapixels: int = 50
    max_photo_seconds: float = 1.5
    max_photos: int = 50
    max_uploads_mib: int = 500
    count_answers: bool = False
    counts_file: str = ""
    counts_days: int = 90
    operator_password: str = field(default="", repr=False)
    operators: tuple[str, ...] = ()
    kiosk_language: str = "en"
    kiosk_speech: bool = False
    kiosk_sound: bool = False

    def path(self, value: str) -> Path | None:
        """A path setting, relative to the project's folder; None if empty."""
        return ROOT / value if value else None


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read `whichbin.toml` in the project's folder, or the file that WHICHBIN_SETTINGS names, then the environment.

    Raises SettingsError for an unreadable file, an unknown key, a wrong type or a value out of range.
    """
    named = environ.get(f"{PREFIX}SETTINGS")
    file = Path(named) if named else ROOT / "whichbin.toml"
    values: dict[str, Any] = {}
    known = {field.name for field in fields(Settings)}
    if named or file.exists():
        for key, value in _read(file).items():
            if key not in known:
                raise SettingsError(f"{file}: no setting is called {key!r}; there are {', '.join(sorted(known))}")
            values[key] = _checked(f"{file}: {key}", key, value)
    for key in known:
        name = PREFIX + key.upper()
        if name in environ:
            values[key] = _checked(name, key, _parsed(name, key, environ[name]))
    return Settings(**values)


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SettingsError(f"{file}: is not valid TOML ({error})") from error


def _parsed(where: str, key: str, text: str) -> Any:
    """A setting's text from the environment as TOML would have given it."""
    default = getattr(Settings, key)
    try:
        if isinstance(default, tuple):
            return [part.strip() for part in text.split(",") if part.strip()]
        if isinstance(default, bool):
            return SWITCH[text.strip().lower()]
        return type(default)(text)
    except (KeyError, ValueError):
        raise SettingsError(f"{where} must be {_wanted(key)}; got {text!r}") from None


SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
SECRET = {"operator_password", "turn_secret", "turn_credential", "turn_token"}  # never in a message

RANGES: dict[str, tuple[float, float]] = {
    "threshold": (0.4, 0.95),
    "turn_lifetime": (60, 604_800),
    "max_streams": (0, 1000),
    "metrics_port": (0, 65535),
    "max_photo_mib": (1, 200),
    "max_photo_megapixels": (1, 200),
    "max_photo_seconds": (0.1, 60),
    "max_photos": (1, 1000),
    "max_uploads_mib": (1, 100_000),
    "counts_days": (1, 3650),
}

# what a text, or each text of a list, has to look like, and how to say it
PATTERNS: dict[str, tuple[str, str]] = {
    # no IPv6 address: aiortc reads none
    "ice_servers": (
        r"(stun:{0}|turns?:{0}(\?transport=(udp|tcp))?)".format(r"[^\s?:/@\[\]]+(:\d{1,5})?"),
        "a list of addresses like stun:host:3478 or turn:host:3478?transport=tcp",
    ),
    "operators": (r"[^@\s]+@[^@\s]+", "a list of e-mail addresses"),
    "kiosk_language": (r"[a-z]{2}", "a language's two letters, such as en"),
}


def _checked(where: str, key: str, value: Any) -> Any:
    default = getattr(Settings, key)
    pattern = PATTERNS.get(key, (r"(?s).*", ""))[0]
    if isinstance(default, tuple):
        good = isinstance(value, list) and all(isinstance(x, str) and re.fullmatch(pattern, x) for x in value)
        value = tuple(value) if good else value
    elif isinstance(default, str):
        good = isinstance(value, str) and bool(re.fullmatch(pattern, value))
    elif isinstance(default, bool):
        good = isinstance(value, bool)
    else:
        allowed = (int, float) if isinstance(default, float) else int
        low, high = RANGES[key]
        good = isinstance(value, allowed) and not isinstance(value, bool) and low <= value <= high
    if not good:
        got = f"a {type(value).__name__}" if key in SECRET else repr(value)
        raise SettingsError(f"{where} must be {_wanted(key)}; got {got}")
    return value


def _wanted(key: str) -> str:
    default = getattr(Settings, key)
    if key in PATTERNS:
        return PATTERNS[key][1]
    if isinstance(default, str):
        return "a text"
    if isinstance(default, bool):
        return "true or false"
    low, high = RANGES[key]
    return f"a {'whole ' if isinstance(default, int) else ''}number from {low} to {high}"
