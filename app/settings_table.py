"""The table of all settings in the documentation.

`python -m app.settings_table` prints it as Markdown; with `--write` the one in docs/operating.md is written anew.
"""

import argparse
from typing import Any

from app import door
from app.settings import FIELDS, ROOT, declared, wanted

TABLE_FILE = ROOT / "docs" / "operating.md"
TABLE_BEGIN = "<!-- The table is written by: python -m app.settings_table --write -->"
TABLE_END = "<!-- End of the table. -->"


def markdown_table() -> str:
    """Every setting with its default, what is allowed and what it does, as a Markdown table."""
    rows = ["| setting | default | allowed | what it does |", "|---|---|---|---|"]
    for name, one in FIELDS.items():
        cells = (f"`{name}`", f"`{_as_toml(one.default)}`", wanted(one), declared(one).text)
        rows.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(rows)


def _as_toml(default: Any) -> str:
    """A default as the settings file would have it; every list is empty by default."""
    if isinstance(default, tuple):
        return "[]"
    if isinstance(default, bool):
        return str(default).lower()
    return f'"{default}"' if isinstance(default, str) else str(default)


def main() -> None:
    """Print the table of settings, or write it into the documentation."""
    parser = argparse.ArgumentParser(prog="python -m app.settings_table", description="Print all settings as a table.")
    parser.add_argument("--write", action="store_true", help=f"write it into {TABLE_FILE.relative_to(ROOT)} instead")
    if parser.parse_args().write:
        before, rest = TABLE_FILE.read_text(encoding="utf-8").split(TABLE_BEGIN)
        _, after = rest.split(TABLE_END)
        page = f"{before}{TABLE_BEGIN}\n\n{markdown_table()}\n\n{TABLE_END}{after}"
        TABLE_FILE.write_text(page, encoding="utf-8")
    else:
        print(markdown_table())


if __name__ == "__main__":
    door.run(main, "app.settings_table")
