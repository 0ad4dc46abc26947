"""A word that must be nowhere: how it may be spelled, and everything that stands in the database."""

import base64
from collections.abc import Iterator

from django.db import connection as database


def spelled(word: str) -> list[str]:
    """Returns the word in lower case as it may stand in a text: as it is, and inside what is written in hexadecimal
    digits, in base 32 (either alphabet) or in base 64, wherever in that it begins."""
    raw, found = word.encode(), [word, word.encode().hex(), word.encode("utf-16-le").hex()]
    for bits, encode in ((5, base64.b32hexencode), (5, base64.b32encode), (6, base64.b64encode)):
        for before in range(bits):
            text = encode(b"\0" * before + raw).decode().rstrip("=")
            found.append(text[-(-8 * before // bits) : 8 * (before + len(raw)) // bits])
    return [each.lower() for each in found]


def rows() -> Iterator[tuple[str, str]]:
    """Yields each table with all that stands in it."""
    for table in database.introspection.table_names():
        with database.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            yield table, repr(cursor.fetchall())
