"""The operator's settings: one frozen, checked object, read from a TOML file and the environment."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PREFIX = "WHICHBIN_"
FILE_VARIABLE = f"{PREFIX}SETTINGS"  # names the TOML file, and is no setting itself

# What Kubernetes tells every container about each Service of its namespace, which may well be called whichbin
# (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
KUBERNETES = r"\w+_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)=.*|\w+_PORT=(tcp|udp|sctp)://.*"

SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class SettingsError(ValueError):
    """A setting cannot be used. The message names where it came from, the setting, and what is allowed."""


@dataclass(frozen=True)
class Declaration:
    """What is known of a setting beside its name, type and default."""

    text: str
    between: tuple[float, float] | None = None
    pattern: str = "(?s).*"
    words: str = ""
    secret: bool = False


def setting(default: Any, text: str, **known: Any) -> Any:
    """Declare one setting.

    Args:
        default: Its value where nobody sets it; its type is the setting's.
        text: What it does, in Markdown, for the table in the documentation.
        **known: The lowest and highest number allowed (`between`, which every number needs); the `pattern` that a text,
            or each text of a list, has to match as a whole, and how to say so in `words`; whether the value is `secret`
            and therefore stays out of every message and of `repr`.

    Returns:
        A dataclass field with the `Declaration` in its metadata.
    """
    declaration = Declaration(text, **known)
    return field(default=default, repr=not declaration.secret, metadata={"declaration": declaration})


@dataclass(frozen=True)
class Settings:
    """What an operator can change. Each is a key of the TOML file, and WHICHBIN_<NAME> in the environment."""

    model: str = setting("", "The folder of the model artifact. If empty, the shipped one is used.")
    bins: str = setting(
        "",
        "The rules file: a shipped one by its name, such as `germany`, or the path of your own. "
        "If empty, the shipped `default` is used.",
    )
    threshold: float = setting(
        0.60, "How high the smoothed confidence has to be before a label is shown.", between=(0.4, 0.95)
    )
    ice_servers: tuple[str, ...] = setting(
        (),
        "The addresses of STUN and TURN servers, separated by commas in the environment. "
        "[None are needed on one network](#other-networks).",
        # no IPv6 address: aiortc reads none
        pattern=r"(stun:{0}|turns?:{0}(\?transport=(udp|tcp))?)".format(r"[^\s?:/@\[\]]+(:\d{1,5})?"),
        words="a list of addresses like stun:host:3478 or turn:host:3478?transport=tcp",
    )
    turn_secret: str = setting(
        "",
        "The secret shared with the TURN servers, from which each visitor gets short-lived credentials.",
        secret=True,
    )
    turn_lifetime: int = setting(86_400, "How many seconds such credentials last.", between=(60, 604_800))
    turn_username: str = setting("", "Instead of `turn_secret`: the user name that every visitor gets.")
    turn_credential: str = setting("", "The credential that goes with `turn_username`.", secret=True)
    turn_provider: str = setting(
        "", "Instead of TURN servers of your own: a hosted service, `cloudflare`, `twilio` or `huggingface`."
    )
    turn_account: str = setting("", "The hosted service's account or key id, where it has one.")
    turn_token: str = setting("", "The hosted service's token.", secret=True)
    max_streams: int = setting(
        0,
        "How many visitors may stream at once; one more waits in line. With 0, as many as the processor's cores carry.",
        between=(0, 1000),
    )
    metrics_port: int = setting(
        0, "The port of a Prometheus endpoint with the sums over all streams. With 0 there is none.", between=(0, 65535)
    )
    metrics_address: str = setting("127.0.0.1", "The address at which the Prometheus endpoint listens.")
    max_photo_mib: int = setting(20, "The size of the largest photo file, in MiB.", between=(1, 200))
    max_photo_megapixels: int = setting(
        66,
        "How many million pixels a photo may unpack to. JPEG, and HEIC with a thumbnail, may have four times as many: "
        "they are unpacked at a smaller size.",
        between=(1, 200),
    )
    max_photo_seconds: float = setting(
        9.0,
        "How many seconds of processor time unpacking the largest photo may take. Smaller ones get less, and a slow "
        "machine gets up to four times as much.",
        between=(0.1, 60),
    )
    max_photos: int = setting(50, "How many photos of one visitor are answered at once.", between=(1, 1000))
    max_uploads_mib: int = setting(
        500, "How much memory the uploaded files of all visitors together may take, in MiB.", between=(1, 100_000)
    )
    count_answers: bool = setting(False, "Whether the kiosk's answers are [counted](#counting-answers).")
    counts_file: str = setting(
        "", "The file that the counts are kept in. If empty, `counts.sqlite3` in the project's folder."
    )
    counts_days: int = setting(90, "For how many days each counted answer is kept.", between=(1, 3650))
    collect_doubtful: bool = setting(
        False, "Whether the pictures of [answers that visitors correct](#corrections) are kept, for training with them."
    )
    doubtful_folder: str = setting(
        "", "The folder that they are kept in. If empty, `doubtful` in the project's folder."
    )
    operator_password: str = setting(
        "", "The password of the page with the counts. If empty, nobody gets in with a password.", secret=True
    )
    operators: tuple[str, ...] = setting(
        (),
        "The e-mail addresses of those who may see the counts after signing in with OpenID Connect, "
        "separated by commas in the environment.",
        pattern=r"[^@\s]+@[^@\s]+",
        words="a list of e-mail addresses",
    )
    kiosk_language: str = setting(
        "en",
        "The kiosk's language, where its address names none.",
        pattern=r"[a-z]{2}",
        words="a language's two letters, such as en",
    )
    kiosk_speech: bool = setting(
        False, "Whether every kiosk speaks its answers. Without it, a kiosk does with `speech=1` in its address."
    )
    kiosk_sound: bool = setting(
        False, "Whether every kiosk plays a sound. Without it, a kiosk does with `sound=1` in its address."
    )

    def path(self, value: str) -> Path | None:
        """The file or folder that a setting names.

        Args:
            value: A setting's value; a relative path starts at the project's folder.

        Returns:
            The path, or None if the value is empty.
        """
        return ROOT / value if value else None


FIELDS: dict[str, Field[Any]] = {one.name: one for one in fields(Settings)}


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file, then the environment, which takes precedence.

    The file is the one that WHICHBIN_SETTINGS names, or `whichbin.toml` in the project's folder if that exists.

    Args:
        environ: The environment variables.

    Returns:
        The settings, each of them checked.

    Raises:
        SettingsError: The file cannot be read, or a key or a variable WHICHBIN_... is no setting, or a value has the
            wrong type or is out of range.
    """
    named = environ.get(FILE_VARIABLE)
    file = Path(named) if named else ROOT / "whichbin.toml"
    values: dict[str, Any] = {}
    if named or file.exists():
        for key, value in _read(file).items():
            if key not in FIELDS:
                raise SettingsError(f"{file}: {_unknown(key, FIELDS)}")
            values[key] = _checked(f"{file}: {key}", FIELDS[key], value)
    variables = {PREFIX + key.upper(): one for key, one in FIELDS.items()}
    for name, text in environ.items():
        if name in variables:
            one = variables[name]
            values[one.name] = _checked(name, one, _parsed(name, one, text))
        elif name.startswith(PREFIX) and name != FILE_VARIABLE and not re.fullmatch(KUBERNETES, f"{name}={text}"):
            raise SettingsError(f"in the environment: {_unknown(name, [*variables, FILE_VARIABLE])}")
    return Settings(**values)


def declared(one: Field[Any]) -> Declaration:
    declaration = one.metadata["declaration"]
    assert isinstance(declaration, Declaration)
    return declaration


def _unknown(name: str, known: Iterable[str]) -> str:
    """Says that a name is no setting, which one is nearest, and which there are."""
    known = sorted(known)
    in_any_case = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), in_any_case, n=1, cutoff=0.75)
    hint = f" (did you mean {in_any_case[near[0]]}?)" if near else ""
    return f"no setting is called {name!r}{hint}; there are {', '.join(known)}"


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SettingsError(f"{file}: is not valid TOML ({error})") from error


def _parsed(where: str, one: Field[Any], text: str) -> Any:
    """A setting's text from the environment, as TOML would have given it."""
    default: Any = one.default
    try:
        if isinstance(default, tuple):
            return [part.strip() for part in text.split(",") if part.strip()]
        if isinstance(default, bool):
            return SWITCH[text.strip().lower()]
        return type(default)(text)
    except (KeyError, ValueError):
        raise SettingsError(f"{where} must be {wanted(one)}; got {text!r}") from None


def _checked(where: str, one: Field[Any], value: Any) -> Any:
    """The value as `Settings` holds it. Raises SettingsError if it is not allowed."""
    declaration, default = declared(one), one.default
    if isinstance(default, tuple):
        pattern = declaration.pattern
        good = isinstance(value, list) and all(isinstance(x, str) and re.fullmatch(pattern, x) for x in value)
        value = tuple(value) if good else value
    elif isinstance(default, str):
        good = isinstance(value, str) and bool(re.fullmatch(declaration.pattern, value))
    elif isinstance(default, bool):
        good = isinstance(value, bool)
    else:
        assert declaration.between is not None
        low, high = declaration.between
        allowed = (int, float) if isinstance(default, float) else int
        good = isinstance(value, allowed) and not isinstance(value, bool) and low <= value <= high
    if not good:
        got = f"a {type(value).__name__}" if declaration.secret else repr(value)
        raise SettingsError(f"{where} must be {wanted(one)}; got {got}")
    return value


def wanted(one: Field[Any]) -> str:
    """What is allowed, in words."""
    declaration = declared(one)
    if declaration.words:
        return declaration.words
    if isinstance(one.default, str):
        return "a text"
    if isinstance(one.default, bool):
        return "true or false"
    assert declaration.between is not None
    low, high = declaration.between
    return f"a {'whole ' if isinstance(one.default, int) else ''}number from {low} to {high}"
