"""The base of request bodies: nothing is taken that is not understood."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from fieldcamp.api.errors import MOST_DETAILS
from fieldcamp.api.pagination import parse_instant
from fieldcamp.texts import CONTROL, INVISIBLE, TURNING, flaw_of

_YEARS = range(1970, 2200)


class StrictSerializer(serializers.Serializer):
    """A serializer that answers unknown fields with a sentence instead of dropping them."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = self._unknown(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as exc:
            if unknown and isinstance(exc.detail, dict):
                raise refused({**exc.detail, **unknown}) from None
            raise
        if unknown:
            raise refused(unknown)
        return value

    def _unknown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a sentence for each field that is not taken: fifty of them, and how many `more` there are."""
        writable = {name for name, field in self.fields.items() if not field.read_only}
        names = [name for name in data if name not in writable]
        found: dict[str, Any] = {
            str(name): ["This field is read-only." if name in self.fields else "Unknown field."]
            for name in names[:MOST_DETAILS]
        }
        return found | {"more": len(names) - MOST_DETAILS} if len(names) > MOST_DETAILS else found


def refused(detail: dict[str, Any]) -> serializers.ValidationError:
    """Returns DRF's error with these sentences by field."""
    error = serializers.ValidationError()
    error.detail = detail  # as it is: numbers would be made texts
    return error


class StrictListField(serializers.ListField):
    """A list that is refused for its length before anything is said of its entries."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            raise serializers.ValidationError(f"Must have at most {self.max_length} entries.")
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """Text and only text: a number or a truth value is refused rather than spelled out.

    Of one line, unless it may have several (`lines`), with nothing in it that controls instead of being read.
    """

    default_error_messages = {
        CONTROL: "Must not contain line breaks or other control characters.",
        f"{CONTROL}_lines": "Must not contain control characters other than line breaks and tabs.",
        TURNING: "Must not contain characters that turn the reading direction (U+202A to U+202E, U+2066 to U+2069).",
        INVISIBLE: "Must contain something that can be seen.",
    }

    def __init__(self, *, lines: bool = False, **kwargs: Any):
        self.lines = lines
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text = super().to_internal_value(data)
        if flaw := flaw_of(text, lines=self.lines):
            self.fail(f"{CONTROL}_lines" if flaw == CONTROL and self.lines else flaw)
        return text


class StrictIntegerField(serializers.IntegerField):
    """A whole number: neither a text nor a truth value that could be read as one."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, (int, float)) or isinstance(data, bool) or data != int(data):
            self.fail("invalid")
        return super().to_internal_value(int(data))


class InstantField(serializers.DateTimeField):
    """An instant with `Z` or an offset; answers in UTC with `Z`."""

    default_error_messages = {
        "invalid": "Must be a time with Z or an offset, such as 2026-11-22T08:00:00Z.",
        "range": "Must lie between the years 1970 and 2199.",
    }

    def to_internal_value(self, value: Any) -> dt.datetime:
        instant = parse_instant(value) if isinstance(value, str) else None
        if instant is None:
            self.fail("invalid")
        if instant.year not in _YEARS:
            self.fail("range")
        return instant
