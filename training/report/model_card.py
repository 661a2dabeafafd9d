"""Writes an artifact's model card (Mitchell et al. 2019, arXiv:1810.03993) from its metadata."""

from typing import Any

CARD_FILE = "MODEL_CARD.md"
CONFUSIONS_LISTED = 5  # of each set
HELD_BACK = {"reference": "reference split", "grouped_validation": "grouped split, validation"}
SPLITS = {
    "reference": "The split is the reference split: in each class, with file names sorted as strings, the first 20 % "
    "are for validation.",
    "grouped": "The split is the grouped one: all photos of one object, as found by a program, are in one part; 70 % "
    "are for training, 15 % for validation and 15 % for a test.",
}


def render(metadata: dict[str, Any]) -> str:
    """Render the model card as Markdown. It says what the metadata holds, and names what is missing there."""
    training, figures = metadata["training"], metadata["figures"]
    parts = [
        "# Model card\n\nThis file is written by `training/report/model_card.py` from `metadata.json`; "
        "change that, not this.",
        _what_it_is(metadata),
        "## Data and licences\n\n" + (training.get("data_notes") or _no_notes(training)).strip(),
        _how_trained(training),
        _protocol(metadata),
    ]
    held_back = {name: figures[key] for key, name in HELD_BACK.items() if key in figures}
    sets = held_back | figures.get("sets", {})
    if sets:
        parts += [_figures(sets), _not_items(sets), _spread(figures.get("spread", {})), _mistakes(sets)]
    parts += [_file(figures["file"]) if "file" in figures else "", _limits(metadata)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _what_it_is(metadata: dict[str, Any]) -> str:
    size = metadata["input_size"]
    background = (
        " One more output, which is never given as a label, stands for pictures that show none of them; `known` "
        "compares it with the outputs of the labels."
        if metadata["background"]
        else " `known` is decided by the energy of the labels' logits alone."
    )
    return (
        "## What it is\n\n"
        f"An image classifier that sorts one picture, resized to {size}x{size} pixels, into "
        f"{', '.join(metadata['labels'])}.{background} It runs with LiteRT through `model.Classifier`."
    )


def _no_notes(training: dict[str, Any]) -> str:
    data = training.get("data")
    counts = f"Photos: {_counts(data['classes'])}. " if data else ""
    return counts + "Nobody has written down where the photos come from and under which licence."


def _how_trained(training: dict[str, Any]) -> str:
    lines = ["## How it was trained", ""]
    if "source" in training:
        return "\n".join([*lines, f"Elsewhere: this artifact was exported from `{training['source']}`."])
    data = training["data"]
    lines.append(
        f"- main folder `{data['name']}`: {_counts(data['classes'])}; {data['training']} photos for training, "
        f"{data['validation']} held back for validation"
    )
    for extra in training["extra"]:
        lines.append(
            f"- extra folder `{extra['name']}`, only for training, where a photo counts {extra['weight']:g} times as "
            f"much: {_counts(extra['classes'])}"
        )
    lines.append(
        f"- pictures that show none of the classes: {training['background_pictures']}, and synthetic empty scenes"
    )
    start = f", after those of another run, `{training['start']}`" if training.get("start") else ""
    lines.append(f"- starting weights: {training['weights']}{start}; seed {training['seed']}")
    for stage in training["stages"]:
        lines.append(
            f"- stage {stage['name']}: {stage['epochs_run']} of {stage['epochs']} epochs, learning rate from "
            f"{stage['rate']:g}, {'the head alone' if stage['head_only'] else 'head and backbone'}"
            + (f"; mean of the last {stage['averaged']} epochs' weights" if stage["averaged"] else "")
            + f"; best epoch's validation accuracy {float(stage['best_val_accuracy']):.1%}"
        )
    versions = ", ".join(f"{name} {version}" for name, version in training["versions"].items())
    return "\n".join([*lines, f"- {training['date']}, with {versions}", "", training["recipe"]])


def _protocol(metadata: dict[str, Any]) -> str:
    if not metadata["calibrated"]:
        return "## Calibration\n\nNone: the confidences are the network's own, and every picture counts as known."
    split = metadata["training"].get("split", "reference")
    figures = next(metadata["figures"][key] for key in HELD_BACK if key in metadata["figures"])
    leak = (
        "; where photos of one object are on both sides of the split, they flatter more" if split == "reference" else ""
    )
    return (
        "## Protocol and calibration\n\n"
        f"Every figure was measured on the exported file through `model.Classifier`. {SPLITS[split]} The validation "
        f"photos also chose the best epochs, the temperature ({metadata['temperature']:.3f}) and the rejection "
        f"threshold ({metadata['rejection_threshold']:.3f}, which {figures['acceptance']:.0%} of them pass), so their "
        f"figures flatter a little{leak}. The temperature took their expected calibration error (ECE, "
        f"{figures['ece_bins']} bins) from {figures['ece_before']:.1%} to {figures['ece']:.1%} and their mean negative "
        f"log-likelihood (NLL, in nats) from {figures['nll_before']:.3f} to {figures['nll']:.3f}."
    )


def _figures(sets: dict[str, Any]) -> str:
    lines = [
        "## Figures",
        "",
        "| set | photos | accuracy | balanced | ECE | NLL | known |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in sets.items():
        lines.append(
            f"| {name} | {row['count']} | {row['accuracy']:.1%} | {row['balanced_accuracy']:.1%} | {row['ece']:.1%} "
            f"| {row['nll']:.3f} | {row['known_rate']:.1%} |"
        )
    labels = list(next(iter(sets.values()))["per_class"])
    lines += [
        "",
        "Recall and, after the slash, precision of each class:",
        "",
        "| set | " + " | ".join(labels) + " |",
        "|---" * (len(labels) + 1) + "|",
    ]
    for name, row in sets.items():
        cells = [
            f"{_share(row['per_class'][x]['recall'])} / {_share(row['per_class'][x]['precision'])}" for x in labels
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    commands = {name: row["command"] for name, row in sets.items() if "command" in row}
    if commands:
        lines += ["", "These were measured with the following commands, where folders are given by name:", ""]
        lines += [f"- {name}: `{command}`" for name, command in commands.items()]
    return "\n".join(lines)


def _not_items(sets: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {kind} | {row['count']} | {row['auroc']:.3f} | {row['fpr95']:.1%} | {row['known_rate']:.1%} |"
        for name, figures in sets.items()
        for kind, row in figures.get("not_items", {}).items()
    ]
    if not rows:
        return ""
    header = "| items | pictures without an item | count | AUROC | FPR95 | wrongly known |\n|---|---|---|---|---|---|"
    return (
        "## Knowing what it does not know\n\n"
        "How well the score tells the items of a set from pictures that show none. AUROC is the chance that an item's "
        "score is the higher one. FPR95 is the share of the pictures without an item that pass a threshold which 95 % "
        "of the items pass. Empty scenes come from the generator that training uses, with other random numbers: they "
        "show that what it draws was learned, not that every empty room is recognised.\n\n" + "\n".join([header, *rows])
    )


def _spread(spread: dict[str, Any]) -> str:
    if not spread:
        return ""
    return (
        "## Spread\n\n"
        "What whole runs gave that differ in their random numbers alone: their mean and, in brackets, the least and "
        "the most. AUROC and FPR95 are those of the kind of pictures without an item that a run told apart worst.\n\n"
        + spread_table(spread)
    )


def spread_table(spread: dict[str, Any]) -> str:
    """A Markdown table of what `report.spread.spread` gives, for each recipe's name."""
    lines = [
        "| recipe | seeds | set | accuracy | ECE | known | AUROC | FPR95 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for recipe, found in spread.items():
        seeds = ", ".join(map(str, found["seeds"]))
        for name, row in found["sets"].items():
            shares = [_range(row.get(key), 100, 1) for key in ("accuracy", "ece", "known_rate")]
            shares += [_range(row.get("auroc"), 1, 3), _range(row.get("fpr95"), 100, 1)]
            lines.append(f"| {recipe} | {seeds} | {name} | " + " | ".join(shares) + " |")
    return "\n".join(lines)


def _range(values: list[float] | None, factor: int, digits: int) -> str:
    if not values:
        return "-"
    low, middle, high = (factor * x for x in (min(values), sum(values) / len(values), max(values)))
    unit = "%" if factor == 100 else ""
    return f"{middle:.{digits}f}{unit}" + (f" ({low:.{digits}f}-{high:.{digits}f})" if len(values) > 1 else "")


def _mistakes(sets: dict[str, Any]) -> str:
    lines = ["## What it gets wrong", "", "The most frequent confusions:", ""]
    for name, row in sets.items():
        labels = row["labels"]
        wrong = sorted(
            (
                (count, labels[i], labels[j])
                for i, counts in enumerate(row["confusion_matrix"])
                for j, count in enumerate(counts)
                if i != j and count
            ),
            key=lambda entry: -entry[0],
        )
        listed = "; ".join(f"{true} taken for {said}: {count}" for count, true, said in wrong[:CONFUSIONS_LISTED])
        lines.append(f"- {name}: {listed or 'none'}")
    return "\n".join(lines)


def _file(file: dict[str, Any]) -> str:
    return (
        "## The file\n\n"
        f"{file['bytes'] / 1e6:.1f} MB; `Classifier.load` took {file['load_ms']:.0f} ms and one 480x480 picture "
        f"{file['classify_ms_median']:.1f} ms (median, one thread) on the machine that exported it."
    )


def _limits(metadata: dict[str, Any]) -> str:
    return (
        "## What it must not be used for\n\n"
        "- Deciding on its own about hazardous, medical or electronic waste, or anything where a wrong bin does harm: "
        f"it knows {len(metadata['labels'])} labels and nothing else.\n"
        "- Recognising people, or anything about them.\n"
        "- Several items in one picture: it gives one answer for the whole of it.\n"
        "- Materials that look alike (clear plastic and glass, coated paper and plastic): it sees shape and surface, "
        "not material.\n"
        "- Other rooms, light and cameras than it was measured on, without measuring there first: "
        "`python -m training.evaluate --model DIR --data DIR`."
    )


def _counts(classes: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in classes.items())


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
