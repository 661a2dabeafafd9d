"""Settings from a file and the environment."""

import pytest

from app.settings import (
    ROOT,
    Settings,
    SettingsError,
    load_settings,
)
from app.settings_table import TABLE_BEGIN, TABLE_END, TABLE_FILE, markdown_table


def test_defaults_without_file_or_environment():
    assert load_settings({}) == Settings()


def test_file_then_environment(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('threshold = 0.7\nmax_photo_mib = 5\nice_servers = ["stun:a:1"]\n')
    settings = load_settings(
        {"WHICHBIN_SETTINGS": str(path), "WHICHBIN_THRESHOLD": "0.8", "WHICHBIN_MODEL": "elsewhere"}
    )
    assert settings == Settings(threshold=0.8, max_photo_mib=5, ice_servers=("stun:a:1",), model="elsewhere")
    assert settings.path(settings.model) == ROOT / "elsewhere"
    assert settings.path(settings.bins) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "thresold = 0.5",
            r"no setting is called 'thresold' \(did you mean threshold\?\); there are bins, collect_doubtful, count",
        ),
        ("colour = 1", "no setting is called 'colour'; there are bins, collect_doubtful, count"),
        ('threshold = "high"', "threshold must be a number from 0.4 to 0.95; got 'high'"),
        ("threshold = 2", "got 2"),
        ("max_photo_mib = 1.5", "whole number"),
        ("max_photo_mib = true", "got True"),
        ("model = 3", "a text"),
        ('ice_servers = ["example.org"]', "stun:host:3478"),
        ('ice_servers = ["stun:a:1?transport=tcp"]', "stun:host:3478"),
        ('ice_servers = ["turn:[::1]:3478"]', "stun:host:3478"),
        ('ice_servers = ["turn:a?transport=quic"]', "stun:host:3478"),
        ("turn_lifetime = 59", "a whole number from 60 to 604800; got 59"),
        ("threshold =", "not valid TOML"),
        ('count_answers = "yes"', "count_answers must be true or false; got 'yes'"),
        ("count_answers = 1", "got 1"),
        ("counts_days = 0", "a whole number from 1 to 3650; got 0"),
        ('kiosk_language = "english"', "two letters"),
        ('operators = ["somebody"]', "a list of e-mail addresses"),
        ('operators = "a@b.org"', "a list of e-mail addresses"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, words):
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings({"WHICHBIN_SETTINGS": str(path)})
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THRESHOLD", "lots"),
        ("MAX_PHOTO_MIB", "0"),
        ("ICE_SERVERS", "stun:a:1,b"),
        ("COUNT_ANSWERS", "maybe"),
        ("COUNT_ANSWERS", ""),
        ("OPERATORS", "a@b.org,b"),
    ],
)
def test_a_mistake_in_the_environment_is_named(name, value):
    with pytest.raises(SettingsError, match=f"WHICHBIN_{name} must be"):
        load_settings({f"WHICHBIN_{name}": value})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WHICHBIN_TRESHOLD", "WHICHBIN_THRESHOLD"),
        ("WHICHBIN_threshold", "WHICHBIN_THRESHOLD"),
        ("WHICHBIN_METRIC_PORT", "WHICHBIN_METRICS_PORT"),
        ("WHICHBIN_SETTING", "WHICHBIN_SETTINGS"),
    ],
)
def test_a_variable_that_is_no_setting_is_named_with_the_one_meant(name, meant):
    with pytest.raises(SettingsError, match=rf"no setting is called '{name}' \(did you mean {meant}\?\)") as caught:
        load_settings({name: "4711"})
    assert "4711" not in str(caught.value)


def test_variables_of_others_are_nobodys_mistake():
    """Kubernetes sets these in every container beside a Service that is called whichbin."""
    environ = {
        "WHICHBIN_SERVICE_HOST": "10.0.0.11",
        "WHICHBIN_SERVICE_PORT": "8501",
        "WHICHBIN_SERVICE_PORT_HTTP": "8501",
        "WHICHBIN_PORT": "tcp://10.0.0.11:8501",
        "WHICHBIN_PORT_8501_TCP": "tcp://10.0.0.11:8501",
        "WHICHBIN_PORT_8501_TCP_ADDR": "10.0.0.11",
        "WHICHBIN_WEB_SERVICE_HOST": "10.0.0.12",
        "NOT_WHICHBIN_TRESHOLD": "0.7",
    }
    assert load_settings(environ) == Settings()


@pytest.mark.parametrize(
    ("text", "value"), [*dict.fromkeys(["1", "true", "Yes", "ON"], True).items(), ("0", False), ("false", False)]
)
def test_switches_in_the_environment(text, value):
    assert load_settings({"WHICHBIN_KIOSK_SOUND": text}).kiosk_sound is value


@pytest.mark.parametrize("text", ["no", "off", " False "])
def test_a_switch_in_the_environment_goes_before_the_file(tmp_path, text):
    path = tmp_path / "s.toml"
    path.write_text("count_answers = true\n")
    environ = {"WHICHBIN_SETTINGS": str(path)}
    assert load_settings(environ).count_answers is True
    assert load_settings({**environ, "WHICHBIN_COUNT_ANSWERS": text}).count_answers is False


def test_several_operators_in_the_environment():
    assert load_settings({"WHICHBIN_OPERATORS": "a@b.org, c@d.org"}).operators == ("a@b.org", "c@d.org")


@pytest.mark.parametrize("name", ["operator_password", "turn_secret", "turn_credential", "turn_token"])
@pytest.mark.parametrize("value", ["4711", "[4711]"])
def test_a_secret_is_in_no_message(tmp_path, name, value):
    path = tmp_path / "s.toml"
    path.write_text(f"{name} = {value}")
    with pytest.raises(SettingsError, match=rf"{name} must be a text; got a (int|list)") as caught:
        load_settings({"WHICHBIN_SETTINGS": str(path)})
    assert "4711" not in str(caught.value)
    assert "4711" not in repr(load_settings({f"WHICHBIN_{name.upper()}": "4711"}))


def test_a_named_file_must_exist(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({"WHICHBIN_SETTINGS": str(tmp_path / "none.toml")})


def test_the_documentation_has_the_table_of_settings():
    table = f"{TABLE_BEGIN}\n\n{markdown_table()}\n\n{TABLE_END}\n"
    where = TABLE_FILE.relative_to(ROOT)
    message = f"{where} does not say what app/settings.py says; run: .venv/bin/python -m app.settings_table --write"
    assert table in TABLE_FILE.read_text(encoding="utf-8"), message


def test_every_setting_is_in_the_table_with_what_it_does():
    rows = {line.split(" | ")[0]: line.split(" | ") for line in markdown_table().splitlines()[2:]}
    assert list(rows) == [f"| `{name}`" for name in vars(Settings())]
    assert rows["| `threshold`"][1:3] == ["`0.6`", "a number from 0.4 to 0.95"]
    assert rows["| `kiosk_speech`"][1:3] == ["`false`", "true or false"]
    for row in rows.values():
        assert row[3].endswith(". |"), row
