"""The kiosk's screens as HTML. `kiosk.css` lays them out; every text goes through `html.escape`."""

from collections.abc import Sequence
from html import escape

from app.advice.bins import Bin, Rules
from app.advice.caption import spoken, whole_percent
from app.advice.languages import Language
from app.kiosk.screens import Scene, Screen
from app.look.colors import text_on
from app.look.icons import svg_uri

LIVE = {Scene.ATTRACT: "attract", Scene.LOOKING: "looking", Scene.UNSURE: "unsure"}
TROUBLE = {
    Scene.STARTING: ("starting", "frame"),
    Scene.CAMERA: ("camera", "camera-off"),
    Scene.UNAVAILABLE: ("unavailable", "question"),
}


def screen_html(screen: Screen, rules: Rules, words: Language) -> str:
    """A whole screen. Says nothing of the confidence: what changes all the time is in `sure_html`.

    Raises KeyError for a label that the rules were not made for.
    """
    if screen.scene is Scene.ANSWER:
        category = rules.category(screen.label or "")
        item = _tile(category.icon, category.color) + f"<b>{escape(category.name)}</b>"
        return _scene("answer", words, _answer(item, category.bins, category.advice, words))
    if screen.scene is Scene.GAVE_UP:
        title = f"<b>{escape(words('gave_up_title'))}</b>"
        return _scene("gave-up", words, _answer(title, (rules.default_bin,), "", words))
    if screen.scene is Scene.THANKS:
        bins = rules.category(screen.label).bins if screen.label else ()
        return _scene("thanks", words, _title("thanks", words) + _reminder(bins))
    if screen.scene in LIVE:
        return _scene(LIVE[screen.scene], words, _live(LIVE[screen.scene], rules, words))
    name, icon = TROUBLE[screen.scene]
    return trouble_html(name, icon, words)


def trouble_html(name: str, icon: str, words: Language) -> str:
    """A neutral screen: the words of `name`_title and `name`_detail under an icon."""
    return _scene(name, words, f'<img class="k-sign" alt="" src="{svg_uri(icon, "#FFFFFF")}">{_title(name, words)}')


def sure_html(screen: Screen, words: Language) -> str:
    """How sure an answer is, in whole percent; empty for other screens."""
    if screen.scene is not Scene.ANSWER:
        return '<div class="k-sure"></div>'
    return f'<div class="k-sure">{escape(words("sure", percent=whole_percent(screen.confidence)))}</div>'


def spoken_html(screen: Screen, rules: Rules, words: Language, aloud: bool) -> str:
    """What a screen reader says: an answer, or that there is trouble. An answer the browser says too, with `aloud`."""
    text = ""
    if screen.scene is Scene.ANSWER:
        category = rules.category(screen.label or "")
        text = spoken(category.name, category.bins, words)
    elif screen.scene is Scene.GAVE_UP:
        text = spoken(words("gave_up_title").rstrip(" \u00a0:"), (rules.default_bin,), words)
    elif screen.scene in TROUBLE:
        text = words(f"{TROUBLE[screen.scene][0]}_title")
    aloud = aloud and screen.scene in (Scene.ANSWER, Scene.GAVE_UP)
    return (
        f'<div class="k-spoken" role="status" aria-live="polite" lang="{escape(words.code)}" data-aloud="{int(aloud)}">'
        f"{escape(text)}</div>"
    )


def offline_html(words: Language) -> str:
    """The screen that the page's own script shows while the server cannot be reached."""
    return f'<div class="k-over" hidden>{trouble_html("offline", "question", words)}</div>'


def insecure_html(words: Language) -> str:
    """The screen that the page's own script shows where the browser gives no camera to the page's address."""
    sign = f'<img class="k-sign" alt="" src="{svg_uri("camera-off", "#FFFFFF")}">{_title("insecure", words)}'
    link = f'<a class="k-photo" href="photo">{escape(words("insecure_photo"))}</a>'
    return f'<div class="k-no-camera" lang="{escape(words.code)}" hidden>{sign}{link}</div>'


def _scene(name: str, words: Language, content: str) -> str:
    return f'<div class="k k-{name}" data-scene="{name}" lang="{escape(words.code)}">{content}</div>'


def _title(name: str, words: Language, more: str = "") -> str:
    return (
        f'<div class="k-words"><div class="k-title">{escape(words(f"{name}_title"))}</div>'
        f'<div class="k-detail">{escape(words(f"{name}_detail"))}</div>{more}</div>'
    )


def _live(name: str, rules: Rules, words: Language) -> str:
    """Words beside the camera's picture, which lies in the `k-frame`; the invitation shows what belongs in it."""
    things = ""
    if name == "attract":
        shown = {(category.icon, category.color): None for category in rules.categories.values()}
        things = "".join(_tile(icon, color) for icon, color in list(shown)[:6])
        things = f'<div class="k-things" aria-hidden="true">{things}</div>'
    privacy = f'<div class="k-privacy">{escape(words("privacy"))}</div>'
    return f'<div class="k-frame"><i></i><i></i><i></i><i></i></div>{_title(name, words, things)}{privacy}'


def _answer(item: str, bins: Sequence[Bin], advice: str, words: Language) -> str:
    panels = "".join(
        f'<div class="k-bin" style="background:{bin.color};color:{text_on(bin.color)}">'
        f'<img class="k-icon" alt="" src="{svg_uri(bin.icon, text_on(bin.color))}"><div class="k-where">'
        f"<small>{escape(words('or_into' if number else 'goes_into'))}</small>"
        f'<div class="k-name">{escape(bin.name)}</div>'
        + (f'<div class="k-hint">{escape(bin.hint)}</div>' if bin.hint else "")
        + "</div></div>"
        for number, bin in enumerate(bins)
    )
    return (
        f'<div class="k-item">{item}</div><div class="k-bins k-bins-{len(bins)}">{panels}</div>'
        f'<div class="k-advice">{escape(advice)}</div>'
    )


def _reminder(bins: Sequence[Bin]) -> str:
    chips = "".join(
        f'<div class="k-chip" style="background:{bin.color};color:{text_on(bin.color)}">'
        f'<img alt="" src="{svg_uri(bin.icon, text_on(bin.color))}">{escape(bin.name)}</div>'
        for bin in bins
    )
    return f'<div class="k-chips">{chips}</div>'


def _tile(icon: str, color: str) -> str:
    return f'<img class="k-tile" alt="" src="{svg_uri(icon, text_on(color))}" style="background:{color}">'
