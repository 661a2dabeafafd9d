"""The kiosk's screens as HTML; `app/kiosk/kiosk.css` lays them out."""

from collections.abc import Iterable

from markupsafe import Markup

from app.advice.bins import POSITIONS, Rules
from app.advice.caption import Caption, spoken
from app.advice.languages import Language
from app.kiosk.screens import Scene, Screen
from app.views.ui import no_camera_here, render

LIVE = {Scene.ATTRACT: "attract", Scene.LOOKING: "looking", Scene.UNSURE: "unsure"}
TROUBLE = {
    Scene.STARTING: ("starting", "frame"),
    Scene.CAMERA: ("camera", "camera-off"),
    Scene.UNAVAILABLE: ("unavailable", "question"),
}
MOST_LOOKS = 6  # tiles of things that the invitation shows


def screen_html(screen: Screen, rules: Rules, today: int | None = None) -> Markup:
    """A whole screen. It says nothing of the confidence: what may change meanwhile is in `sure_html`.

    Args:
        screen: What to show.
        rules: In the language in which it is shown.
        today: How many answers were counted today, for the thanks; None where they are not counted.

    Raises:
        KeyError: The rules were not made for the screen's label.
    """
    words = rules.words
    if screen.scene is Scene.ANSWER:
        category = rules.category(screen.label or "")
        said = Caption(category.name, category.advice, category.icon, category.color, bins=category.bins, words=words)
        return render("kiosk/answer.html", name="answer", caption=said, turns=POSITIONS)
    if screen.scene is Scene.GAVE_UP:
        said = Caption(words("gave_up_title"), "", "", bins=(rules.default_bin,), words=words)
        return render("kiosk/answer.html", name="gave-up", caption=said, turns=POSITIONS)
    if screen.scene is Scene.THANKS:
        bins = rules.category(screen.label).bins if screen.label else ()
        fact = words.facts.get(screen.label or "")
        return render("kiosk/thanks.html", bins=bins, fact=fact, today=today, words=words, turns=POSITIONS)
    if screen.scene in LIVE:
        looks = {(category.icon, category.color): None for category in rules.categories.values()}
        shown = list(looks)[:MOST_LOOKS] if screen.scene is Scene.ATTRACT else []
        return render("kiosk/live.html", name=LIVE[screen.scene], looks=shown, words=words)
    return trouble_html(*TROUBLE[screen.scene], words)


def trouble_html(name: str, icon: str, words: Language) -> Markup:
    """A neutral screen: the words of `name`_title and `name`_detail under an icon."""
    return render("kiosk/trouble.html", name=name, icon_name=icon, words=words)


def no_rules_html(asked: str, known: Iterable[str], words: Language) -> Markup:
    """One line above every screen: the page's address asks for rules that there are not."""
    return render("kiosk/no_rules.html", text=words("kiosk_no_rules", asked=asked, known=", ".join(sorted(known))))


def sure_html(screen: Screen, words: Language) -> Markup:
    """How sure an answer is, in words that change seldom; empty for other screens."""
    return render("kiosk/sure.html", text=words(screen.sureness.value) if screen.sureness else "")


def spoken_html(screen: Screen, rules: Rules, aloud: bool) -> Markup:
    """What a screen reader says: an answer, or that there is trouble.

    Args:
        screen: What is shown.
        rules: In the language in which it is said.
        aloud: Whether the browser says answers, too.
    """
    words, text = rules.words, ""
    if screen.scene is Scene.ANSWER:
        category = rules.category(screen.label or "")
        text = spoken(category.name, category.bins, words)
    elif screen.scene is Scene.GAVE_UP:
        text = spoken(words("gave_up_title").rstrip(" \u00a0:"), (rules.default_bin,), words)
    elif screen.scene in TROUBLE:
        text = words(f"{TROUBLE[screen.scene][0]}_title")
    answers = screen.scene in (Scene.ANSWER, Scene.GAVE_UP)
    return render("kiosk/spoken.html", text=text, aloud=aloud and answers, words=words)


def page_html(words: Language, sound: bool, troubles: Iterable[str]) -> Markup:
    """What the page's script needs, and the screens that it shows by itself: no connection, no camera and why.

    Args:
        words: The language.
        sound: Whether an answer comes with a sound.
        troubles: Kinds of camera trouble, with words of their own.
    """
    return render(
        "kiosk/page.html", words=words, sound=sound, origin_text=no_camera_here(words), troubles=list(troubles)
    )
