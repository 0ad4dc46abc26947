"""JSON, and strictly so: what two readers could understand differently is refused."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from fieldcamp.api.errors import ApiError


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ParseError(f"The body has the field {name[:80]!r} twice.")
            seen.add(name)
    return found


def _no_constant(name: str) -> NoReturn:
    raise ParseError(f"The body has {name}, which is not a JSON number.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ParseError("The body has a number that is too large.")
    return value


def _check_texts(value: Any) -> None:
    """Databases refuse NUL, and UTF-8 has no lone surrogates: neither may come in by an escape."""
    if isinstance(value, str):
        if "\x00" in value or not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise ParseError("The body has a text with a NUL character or half of a surrogate pair.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)


class StrictJSONParser(BaseParser):
    """One JSON object in UTF-8, without duplicate names, NaN or unstorable texts."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        _check_charset(media_type or "")
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise ApiError("PAYLOAD_TOO_LARGE", f"The request body is larger than {limit} bytes. Send a smaller body.")
        return parse_object(raw)


def _check_charset(media_type: str) -> None:
    for parameter in media_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip(" \"'").lower() not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMediaType(media_type)


def parse_object(raw: bytes) -> dict[str, Any]:
    """Returns the body as a dict; nothing at all is an empty one."""
    if not raw.strip():
        return {}
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        _check_texts(value)
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.") from None
    except RecursionError:
        raise ParseError("The body is nested too deeply.") from None
    except json.JSONDecodeError as exc:
        raise ParseError(f"The body is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}.") from None
    except ValueError:  # an integer of more digits than Python converts
        raise ParseError("The body has a number that is too large.") from None
    if not isinstance(value, dict):
        raise ParseError("The body must be a JSON object, such as {}.")
    return value
