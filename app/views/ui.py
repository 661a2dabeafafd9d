"""The pieces of HTML that the pages share: one look, escaped text, colours that work on light and dark.

Streamlit keeps inline styles and drops scripts; every text that comes from outside goes through `html.escape`.
"""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from app.advice.bins import Rules
from app.advice.caption import Caption, whole_percent
from app.look.colors import text_on
from app.look.icons import svg_uri
from app.stream.metrics import Figures

PROBLEM = "#B3261E"

STYLE = """<style>
/* no wider than lets the video, three fifths of it and four to three, fit the window's height */
.stMainBlockContainer { padding: .8rem 2rem 1rem; max-width: min(1800px, calc((100vh - 130px) / .44)); }
.stAppHeader { display: none; }
.st-key-header { border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent); padding-bottom: .5rem; }
.wb-mark { display: flex; align-items: center; gap: .5rem; font-size: 1.35rem; font-weight: 700; }
.wb-mark img { width: 1.9rem; height: 1.9rem; padding: .3rem; border-radius: 8px; background: #0B7A4B;
  box-sizing: border-box; }
.wb-card { border-radius: 14px; padding: 1.1rem 1.25rem; display: flex; gap: 1.1rem; align-items: center; }
.wb-tile { flex: none; width: 4.6rem; height: 4.6rem; border-radius: 12px; padding: .7rem; box-sizing: border-box; }
.wb-tile img { width: 100%; height: 100%; display: block; }
.wb-words { flex: 1; min-width: 0; }
.wb-title { font-size: clamp(1.6rem, 2.6vw, 2.6rem); font-weight: 700; line-height: 1.1; overflow-wrap: anywhere; }
.wb-detail { font-size: 1.05rem; line-height: 1.3; margin-top: .2rem; }
.wb-percent { font-size: clamp(1.5rem, 2.2vw, 2.2rem); font-weight: 700; white-space: nowrap; align-self: flex-start; }
.wb-bin { display: flex; align-items: center; gap: .7rem; border-radius: 14px; padding: .75rem 1.25rem;
  margin-top: .6rem; font-size: 1.25rem; font-weight: 600; }
.wb-spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[data-testid="stElementContainer"]:has(> .stHtml > :is(.wb-spoken, .wb-beat, .wb-live)) { position: absolute; }
.wb-bin small { font-weight: 400; font-size: 1rem; }
.wb-bin div small { display: block; }
.wb-bars { display: grid; grid-template-columns: auto 1fr 3.2rem; gap: .4rem .7rem; align-items: center;
  margin-top: 1rem; font-variant-numeric: tabular-nums; }
.wb-bars .n { display: flex; gap: .45rem; align-items: center; overflow-wrap: anywhere; }
.wb-bars .n img { width: 1.25rem; height: 1.25rem; padding: .18rem; border-radius: 5px; flex: none; }
.wb-track { height: .6rem; border-radius: 1rem; background: color-mix(in srgb, currentColor 13%, transparent); }
.wb-track div { height: 100%; border-radius: 1rem; }
.wb-bars .p { text-align: right; }
.wb-figures { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin-top: .9rem; font-size: .82rem; opacity: .78;
  font-variant-numeric: tabular-nums; }
.wb-insecure .st-key-live, :root:not(.wb-insecure) .st-key-insecure { display: none; }
.wb-figures b { font-weight: 600; }
.wb-photo { border: 6px solid; border-radius: 16px; overflow: hidden; }
.wb-shot { display: flex; align-items: center; justify-content: center;
  background: color-mix(in srgb, currentColor 8%, transparent); }
.wb-shot span { position: relative; display: block; line-height: 0; }
.wb-shot img.shot { max-width: 100%; max-height: 20rem; }
.wb-shot img.heat { position: absolute; inset: 0; width: 100%; height: 100%; }
.wb-photo .wb-card, .wb-photo .wb-bin { border-radius: 0; margin: 0; }
.wb-photo .wb-card { padding: .8rem 1rem; }
.wb-photo .wb-bin { padding: .6rem 1rem; font-size: 1.1rem; }
.wb-photo:not(.wb-alone) .wb-tile { width: 3.4rem; height: 3.4rem; padding: .5rem; }
.wb-photo:not(.wb-alone) :is(.wb-title, .wb-percent) { font-size: 1.45rem; }
.wb-photo .wb-bars { margin: .9rem 1rem .6rem; }
.wb-name { font-size: .85rem; opacity: .75; padding: 0 1rem .7rem; overflow-wrap: anywhere; }
@media (min-width: 900px) {
  .wb-alone { display: grid; grid-template-columns: 1.2fr 1fr; }
  .wb-alone img.shot { max-height: 62vh; }
}
.stElementToolbar button[aria-label="Download as CSV"] { display: none; } /* the page has its own, with harmless text */
.wb-error { border: 1px solid; border-left-width: 6px; border-radius: 10px; padding: .6rem .9rem; display: flex;
  gap: .7rem; align-items: center; overflow-wrap: anywhere; }
.wb-error img { width: 1.5rem; height: 1.5rem; padding: .2rem; border-radius: 6px; flex: none; box-sizing: border-box; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: .5rem .7rem 1rem; }
  .stMain [data-testid="stVerticalBlock"] { gap: .6rem; }
  .wb-card { padding: .75rem .9rem; gap: .8rem; }
  .wb-tile { width: 3.4rem; height: 3.4rem; padding: .5rem; }
  .wb-bin { padding: .55rem .9rem; font-size: 1.1rem; margin-top: .5rem; }
  .wb-photo img.shot { max-height: 38vh; }
}
</style>"""


WORDMARK = f'<div class="wb-mark"><img alt="" src="{svg_uri("frame", "#FFFFFF")}">Whichbin</div>'


def spoken(caption: Caption) -> str:
    """The answer for screen readers. An element of its own, without the percentage: what changes is read out."""
    return f'<div role="status" class="wb-spoken">{escape(caption.spoken)}</div>'


def verdict_card(caption: Caption) -> str:
    """The current answer and the bins it goes into."""
    return _card(caption) + _bins(caption)


def notice(title: str, detail: str) -> str:
    """A neutral card that says something other than an answer."""
    return f'<div role="status">{_card(Caption(title, detail, "question"))}</div>'


def script(path: Path) -> str:
    """A page's JavaScript file as HTML, after what these files share. Runs where `st.html` allows it."""
    files = (Path(__file__).parent / "static" / "reached.js", path)
    return f"<script>{''.join(file.read_text(encoding='utf-8') for file in files)}</script>"


def insecure() -> str:
    """A notice that there is no camera because of the page's address, and the script that shows it where that is so.

    Only the browser knows: `window.isSecureContext` also holds for addresses that its owner made an exception for. It
    sets a class, for which STYLE hides what needs a camera.
    """
    words = notice(
        "No camera at this address",
        "Browsers give a camera only to addresses with https:// and to localhost, not to ORIGIN. "
        "Whoever runs this server can start it with HTTPS: make run HTTPS=1",
    ).replace("ORIGIN", '<span class="wb-origin">this one</span>')
    return f"""{words}<script>
    (() => {{
      const here = document.querySelector(".wb-origin");
      if (here) here.textContent = location.origin;
      document.documentElement.classList.toggle("wb-insecure", !window.isSecureContext);
    }})();
    </script>"""


def probability_bars(probabilities: Mapping[str, float], rules: Rules) -> str:
    """One bar a class, in the classifier's order, so that a class keeps its place. Empty mapping: all at zero."""
    rows = []
    for label, category in rules.categories.items():
        probability = probabilities.get(label, 0.0)
        icon = (
            f'<img alt="" src="{svg_uri(category.icon, text_on(category.color))}" style="background:{category.color}">'
        )
        rows.append(
            f'<div class="n">{icon}{escape(category.name)}</div>'
            f'<div class="wb-track"><div style="width:{probability:.1%};background:{category.color}"></div></div>'
            f'<div class="p">{whole_percent(probability)} %</div>'
        )
    return f'<div class="wb-bars">{"".join(rows)}</div>'


def figures_line(figures: Figures) -> str:
    """The stream's small live figures."""
    values = [
        ("Video", f"{figures.video_fps:.0f} fps"),
        ("Classified", f"{figures.classifications_per_s:.0f} /s"),
        ("Inference", _ms(figures.inference_ms)),
        ("Verdict age", _ms(figures.verdict_age_ms)),
        ("Frames dropped", f"{figures.dropped}"),
    ]
    if figures.errors:
        values.append(("Not annotated", f"{figures.errors}"))
    return f'<div class="wb-figures">{"".join(f"<span>{name} <b>{value}</b></span>" for name, value in values)}</div>'


def photo_card(
    name: str, picture_uri: str, caption: Caption, bars: str, alone: bool = False, heat_uri: str = ""
) -> str:
    """A photo with its border, answer, bin and probabilities.

    picture_uri: a data: address. bars: from `probability_bars`. alone: use the page's whole width, side by side.
    heat_uri: of a picture to stretch over the photo, if any.
    """
    over = f'<img class="heat" alt="What spoke for the answer" src="{heat_uri}">' if heat_uri else ""
    return (
        f'<div class="wb-photo{" wb-alone" if alone else ""}" style="border-color:{caption.color}">'
        f'<div class="wb-shot"><span><img class="shot" alt="{escape(name)}" src="{picture_uri}">{over}</span></div>'
        f'<div>{_card(caption)}{_bins(caption)}{bars}<div class="wb-name">{escape(name)}</div></div></div>'
    )


def photo_error(name: str, message: str) -> str:
    """One line beside the name of a file that could not be used."""
    icon = f'<img alt="" src="{svg_uri("question", text_on(PROBLEM))}" style="background:{PROBLEM}">'
    words = f"<div><b>{escape(name)}</b> {escape(message)}</div>"
    return f'<div role="alert" class="wb-error" style="border-color:{PROBLEM}">{icon}{words}</div>'


def _card(caption: Caption) -> str:
    ink = text_on(caption.color)
    percent = "" if caption.percent is None else f'<div class="wb-percent">{caption.sure}</div>'
    return (
        f'<div class="wb-card" style="background:{caption.color};color:{ink}">'
        f'<div class="wb-tile" style="background:color-mix(in srgb,{ink} 14%,transparent)">'
        f'<img alt="" src="{svg_uri(caption.icon, ink)}"></div>'
        f'<div class="wb-words"><div class="wb-title">{escape(caption.title)}</div>'
        f'<div class="wb-detail">{escape(caption.detail)}</div></div>{percent}</div>'
    )


def _bins(caption: Caption) -> str:
    html = []
    for number, bin in enumerate(caption.bins):
        before = escape(caption.words("or_into" if number else "goes_into"))
        hint = f"<small>{escape(bin.hint)}</small>" if bin.hint else ""
        html.append(
            f'<div class="wb-bin" style="background:{bin.color};color:{text_on(bin.color)}">'
            f"<small>{before}</small> <div>{escape(bin.name)}{hint}</div></div>"
        )
    return "".join(html)


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"  # noqa: RUF001 (a dash for "not yet")
