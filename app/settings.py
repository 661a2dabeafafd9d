"""One frozen, checked settings object, from a TOML file and the environment."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
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
    max_streams: visitors who may stream at once; 0 for as many as the cores carry.
    metrics_port: of the Prometheus endpoint; 0 for none. metrics_address: where it listens.
    max_photo_mib: largest photo file in MiB. max_photo_megapixels: most pixels a photo may unpack to, in millions.
    """

    model: str = ""
    bins: str = ""
    threshold: float = 0.60
    ice_servers: tuple[str, ...] = ()
    max_streams: int = 0
    metrics_port: int = 0
    metrics_address: str = "127.0.0.1"
    max_photo_mib: int = 20
    max_photo_megapixels: int = 50

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
        return type(default)(text)
    except ValueError:
        raise SettingsError(f"{where} must be {_wanted(key)}; got {text!r}") from None


RANGES: dict[str, tuple[float, float]] = {
    "threshold": (0.4, 0.95),
    "max_streams": (0, 1000),
    "metrics_port": (0, 65535),
    "max_photo_mib": (1, 200),
    "max_photo_megapixels": (1, 200),
}


def _checked(where: str, key: str, value: Any) -> Any:
    default = getattr(Settings, key)
    if isinstance(default, tuple):
        good = isinstance(value, list) and all(
            isinstance(x, str) and x.startswith(("stun:", "turn:", "turns:")) for x in value
        )
        value = tuple(value) if good else value
    elif isinstance(default, str):
        good = isinstance(value, str)
    else:
        allowed = (int, float) if isinstance(default, float) else int
        low, high = RANGES[key]
        good = isinstance(value, allowed) and not isinstance(value, bool) and low <= value <= high
    if not good:
        raise SettingsError(f"{where} must be {_wanted(key)}; got {value!r}")
    return value


def _wanted(key: str) -> str:
    default = getattr(Settings, key)
    if isinstance(default, tuple):
        return "a list of addresses like stun:host:3478"
    if isinstance(default, str):
        return "a text"
    low, high = RANGES[key]
    return f"a {'whole ' if isinstance(default, int) else ''}number from {low} to {high}"
