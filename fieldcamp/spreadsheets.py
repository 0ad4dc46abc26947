"""Tables for spreadsheets: lines of CSV in which no text is taken for a formula."""

import csv
from collections.abc import Iterable
from decimal import Decimal
from typing import Any


class _Echo:
    def write(self, line: str) -> str:
        return line


def safe_cell(value: object) -> str:
    """Returns the text so that no spreadsheet takes it for a formula:
    https://owasp.org/www-community/attacks/CSV_Injection"""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def csv_line(cells: Iterable[object]) -> str:
    """Returns one line with its end; None is an empty cell, and numbers stay numbers, negative ones too.

    Every cell is quoted: a spreadsheet that parts cells at semicolons takes none of a cell's text for a cell.
    """
    writer: Any = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    return str(writer.writerow([_cell(cell) for cell in cells]))


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, (int, Decimal)) else safe_cell(value)
