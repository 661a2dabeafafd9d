"""Tables as CSV that spreadsheet programs open without running anything in it."""

import csv
import io
from collections.abc import Iterable

Cell = str | float | None


def to_csv(heading: Iterable[Cell], rows: Iterable[Iterable[Cell]]) -> str:
    """A table as CSV (RFC 4180); its texts may come from strangers.

    Args:
        heading: The names of the columns.
        rows: The cells of each row; None is left empty.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(map(_harmless, heading))
    writer.writerows(map(_harmless, row) for row in rows)
    return out.getvalue()


def _harmless(cell: Cell) -> Cell:
    """A cell; a text that a spreadsheet would take for a formula gets a leading apostrophe.

    See https://owasp.org/www-community/attacks/CSV_Injection.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
