"""The HTML that the pages show, from Jinja2 templates, which escape every text that is put into them.

Streamlit keeps styles and drops scripts, unless it is told otherwise; scripts and styles are files in `static/`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.advice.bins import Rules
from app.advice.caption import Caption, whole_percent
from app.advice.languages import Language
from app.look.colors import text_on
from app.look.icons import svg_uri
from app.stream.metrics import Figures

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
STYLE = STATIC / "pages.css"
PROBLEM = "#B3261E"
# Streamlit's own English words in its upload and camera inputs, as patterns of whole texts, and ours for them
FOREIGN = {
    "Upload": "upload",
    r"(?<size>[\d.]+)\s?MB per file": "upload_limit",
    r"File must be (?<size>[\d.]+?)(\.0)?\s?MB or smaller\.": "upload_too_large",
    "Error: ": "upload_error",
    r"(Request failed|Network Error|Upload failed|Unexpected error).*": "upload_failed",
    "Take Photo": "photo_shoot",
    "Clear photo": "photo_clear",
}


def script(*names: str) -> Markup:
    """Files of `static/`, or of other folders by their paths, as one <script>. Runs where `st.html` allows it."""
    return Markup(f"<script>{''.join((STATIC / name).read_text(encoding='utf-8') for name in names)}</script>")


_environment = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals |= {"icon": svg_uri, "ink": text_on, "script": script}


def render(template: str, **values: object) -> Markup:
    """A template of `templates/` with its values filled in; a value that is not Markup is taken for text."""
    return Markup(_environment.get_template(template).render(values))


def page_html(words: Language) -> Markup:
    """What every page needs: its language for the browser, and the script that mends what Streamlit leaves to mend."""
    own = {pattern: words.words[key] for pattern, key in FOREIGN.items()}
    return render("page.html", words=words, own=own, offline=_said("offline", "question", words))


def spoken(caption: Caption) -> Markup:
    """The answer for screen readers, without the percentage, which changes all the time."""
    return announcement(caption.spoken)


def announcement(text: str) -> Markup:
    """What screen readers say when it changes. It has to be on the page before, even if it is empty."""
    return Markup('<div role="status" class="wb-spoken">{}</div>').format(text)


def verdict_card(caption: Caption) -> Markup:
    """The current answer, and the bins that it goes into."""
    return render("verdict.html", caption=caption)


def notice(title: str, detail: str, words: Language) -> Markup:
    """A neutral card that says something other than an answer."""
    return render("notice.html", caption=Caption(title, detail, "question", words=words))


def printable(text: str) -> str:
    """A text that a page can show: what Python puts for the bytes of a file's name that is not UTF-8 is replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def alarm(title: str, detail: str, words: Language) -> Markup:
    """A neutral card that says that something failed; screen readers say it at once."""
    return render("alarm.html", caption=Caption(title, detail, "question", words=words))


def troubles(kinds: Iterable[str], words: Language) -> Markup:
    """The cards that the live page's script shows by itself, hidden: why there is no video, and that it is on its way.

    Args:
        kinds: Of camera trouble, with words of their own.
        words: The language.
    """
    cards = {kind: _said(f"camera_{kind}", "camera-off", words) for kind in kinds}
    stopped = words("camera_stopped_detail", start=words("camera_start"))
    cards["stopped"] = Caption(words("camera_stopped_title"), stopped, "camera-off", words=words)
    cards["starting"] = _said("starting", "frame", words)
    cards["offline"] = _said("offline", "question", words)
    return render("troubles.html", troubles=cards)


def _said(name: str, icon: str, words: Language) -> Caption:
    """The words of `name`_title and `name`_detail under an icon."""
    return Caption(words(f"{name}_title"), words(f"{name}_detail"), icon, words=words)


def no_camera_here(words: Language) -> Markup:
    """Why there is no camera at the page's address, which only the browser knows: page.js fills it in."""
    return Markup.escape(words.words["insecure_detail"]).format(origin=Markup('<span class="wb-origin"></span>'))


def probability_bars(probabilities: Mapping[str, float], rules: Rules) -> Markup:
    """One bar for each class, in the classifier's order, so that a class keeps its place.

    Args:
        probabilities: By label, from 0 to 1; where a label is missing, its bar is empty.
        rules: Name, icon and colour of each label.
    """
    rows = []
    for label, category in rules.categories.items():
        share = probabilities.get(label, 0.0)
        rows.append((category, f"{share:.1%}", rules.words.percent(whole_percent(share) / 100)))
    return render("bars.html", rows=rows)


def figures_line(figures: Figures, words: Language) -> Markup:
    """The stream's small live figures."""
    values = {
        "figure_video": f"{figures.video_fps:.0f} fps",
        "figure_classified": f"{figures.classifications_per_s:.0f} /s",
        "figure_inference": _milliseconds(figures.inference_ms),
        "figure_age": _milliseconds(figures.verdict_age_ms),
        "figure_dropped": words.number(figures.dropped),
    }
    if figures.errors:
        values["figure_not_annotated"] = words.number(figures.errors)
    return render("figures.html", figures=[(words(key), value) for key, value in values.items()])


def photo_card(
    name: str, picture_uri: str, caption: Caption, bars: Markup, alone: bool = False, heat_uri: str = ""
) -> Markup:
    """A photo with its answer, bins and probabilities.

    Args:
        name: Of the file.
        picture_uri: The photo as a data: address.
        caption: The answer.
        bars: From `probability_bars`.
        alone: Whether it has the width of the page to itself, and so lies beside its answer.
        heat_uri: A picture to stretch over the photo, as a data: address; empty for none.
    """
    return render(
        "photo.html", name=name, picture_uri=picture_uri, caption=caption, bars=bars, alone=alone, heat_uri=heat_uri
    )


def photo_error(name: str, message: str) -> Markup:
    """One line beside the name of a file that could not be used."""
    return render("photo_error.html", name=name, message=message, color=PROBLEM)


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"  # noqa: RUF001 (a dash for "not yet")
