"""Counted answers as the operator page shows them: a table, charts and CSV."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import altair as alt

from app.advice.bins import Rules, display_name
from app.advice.caption import NEUTRAL
from app.advice.languages import Language
from app.answers.counts import Answer, Summary
from app.look import spreadsheet

MOST_DAYS = 120  # bars side by side; more are shown by the month


def name_and_color(label: str, rules: Rules) -> tuple[str, str]:
    """A label's name and #RRGGBB; also of one that an earlier model had and the present rules do not name."""
    category = rules.categories.get(label)
    return (category.name, category.color) if category else (display_name(label), NEUTRAL)


def class_table(summary: Summary, rules: Rules) -> list[dict[str, str | float]]:
    """One row for each class, most frequent first.

    Its columns are its answers, its share of all of them, and its mean confidence, the last two from 0 to 100.
    """
    total = sum(summary.per_class.values())
    return [
        {
            rules.words("column_class"): name_and_color(label, rules)[0],
            rules.words("column_answers"): answers,
            rules.words("column_share"): 100 * answers / total,
            rules.words("column_mean"): 100 * summary.confidence[label],
        }
        for label, answers in sorted(summary.per_class.items(), key=lambda item: (-item[1], item[0]))
    ]


def correction_table(corrections: Iterable[tuple[str, str, int]], rules: Rules) -> list[dict[str, str | int]]:
    """One row for each pair of what was said and what a visitor said instead."""
    words = rules.words
    return [
        {
            words("column_said"): name_and_color(said, rules)[0] if said else words("caption_unsure_title"),
            words("column_right"): name_and_color(right, rules)[0] if right else words("wrong_none"),
            words("column_corrections"): times,
        }
        for said, right, times in corrections
    ]


def class_chart(summary: Summary, rules: Rules) -> alt.Chart:
    """A bar for each class, most frequent first."""
    values = [
        {"class": name_and_color(label, rules)[0], "answers": answers} for label, answers in summary.per_class.items()
    ]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values))
        .mark_bar()
        .encode(
            x=alt.X("answers:Q", title=None, axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("class:N", title=None, sort="-x"),
            color=_colors(summary, rules, legend=False),
            tooltip=_tooltip(rules, "class:N", "answers:Q"),
        )
    )
    return chart


def hour_chart(summary: Summary, rules: Rules) -> alt.Chart:
    """A bar for each of the day's 24 hours, by class."""
    counted = {(f"{hour:02}", label): answers for (hour, label), answers in summary.per_hour.items()}
    return _stacked(counted, [f"{hour:02}" for hour in range(24)], "hour", summary, rules)


def day_chart(summary: Summary, rules: Rules, first: date, last: date) -> tuple[str, alt.Chart]:
    """A bar for each day from first to last, by class, or for each month if there are many; and which of the two."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    unit = "day" if len(days) <= MOST_DAYS else "month"

    def bar(day: date) -> str:
        return rules.words.day(day) if unit == "day" else rules.words.month(day)

    counted = Counter[tuple[str, str]]()
    for (day, label), answers in summary.per_day.items():
        counted[bar(date.fromisoformat(day)), label] += answers
    return unit, _stacked(counted, list(dict.fromkeys(bar(day) for day in days)), unit, summary, rules)


def to_csv(answers: Iterable[Answer], words: Language) -> str:
    """One line for each answer, with a header.

    Times are ISO 8601 in the server's time zone, with its offset from UTC. Labels and bins, and the headings of their
    columns, are the classifier's and the rules file's own in every language, so that a program can rely on them.
    """
    heading = (words("column_time"), "label", "bin", words("column_confidence"))
    rows = (
        (
            datetime.fromtimestamp(answer.time).astimezone().isoformat(timespec="seconds"),
            answer.label,
            answer.bin,
            round(answer.confidence, 4),
        )
        for answer in answers
    )
    return spreadsheet.to_csv(heading, rows)


def _stacked(
    counted: Mapping[tuple[str, str], int], bars: list[str], unit: str, summary: Summary, rules: Rules
) -> alt.Chart:
    values = [
        {unit: bar, "class": name_and_color(label, rules)[0], "answers": answers}
        for (bar, label), answers in counted.items()
    ]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values))
        .mark_bar()
        .encode(
            # texts in the server's own words, since Vega would read times in the browser's time zone
            x=alt.X(
                f"{unit}:N",
                title=None,
                sort=bars,
                scale=alt.Scale(domain=bars),
                axis=alt.Axis(labelAngle=0, labelOverlap="greedy"),
            ),
            y=alt.Y("answers:Q", title=None, axis=alt.Axis(tickMinStep=1)),
            color=_colors(summary, rules),
            tooltip=_tooltip(rules, f"{unit}:N", "class:N", "answers:Q"),
        )
    )
    return chart


def _tooltip(rules: Rules, *fields: str) -> list[alt.Tooltip]:
    """What a bar says when it is pointed at, in the rules' language."""
    titles = {"class:N": rules.words("column_class"), "answers:Q": rules.words("column_answers")}
    return [alt.Tooltip(field, title=titles.get(field, rules.words("column_time"))) for field in fields]


def _colors(summary: Summary, rules: Rules, legend: bool = True) -> alt.Color:
    order = list(rules.categories)
    labels = sorted(summary.per_class, key=lambda label: (order.index(label) if label in order else len(order), label))
    pairs = [name_and_color(label, rules) for label in labels]
    scale = alt.Scale(domain=[name for name, _ in pairs], range=[color for _, color in pairs])
    return alt.Color(
        "class:N", scale=scale, legend=alt.Legend(title=None, orient="bottom", columns=3, offset=0) if legend else None
    )
