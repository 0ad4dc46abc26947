"""Exact numbers of the API (money, prices, quantities, rates), days, and truth values that are nothing else."""

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import Direction
from rest_framework import serializers

_TEXT = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_DAY = re.compile(r"(19[7-9]|20[0-9]|21[0-9])[0-9]-[0-9]{2}-[0-9]{2}")
_EXACT_DIGITS = 15  # what a JSON number, read as a double, keeps of a decimal fraction


class AmountField(serializers.Field):
    """A decimal of at most 15 digits, `places` of them after the point: taken as a number or as a text, answered as
    a number that prints as it is stored."""

    default_error_messages = {
        "invalid": "Must be a number, such as 12.5.",
        "places": "Must have at most {places} digits after the point.",
        "low": "Must not be less than {low}.",
        "high": "Must not be more than {high}.",
    }

    def __init__(self, *, places: int = 2, low: int = 0, high: int | None = None, **kwargs: Any):
        self.places, self.low = places, low
        self.high = 10 ** (_EXACT_DIGITS - places) - 1 if high is None else high
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        value = self._decimal(data)
        if value < self.low:
            self.fail("low", low=self.low)
        if value > self.high:
            self.fail("high", high=self.high)
        if value != round(value, self.places):
            self.fail("places", places=self.places)
        return abs(value) if value == 0 else value  # no "-0"

    def _decimal(self, data: Any) -> Decimal:
        if isinstance(data, str) and _TEXT.fullmatch(data):
            return Decimal(data)
        if isinstance(data, bool) or not isinstance(data, (int, float)) or not math.isfinite(data):
            self.fail("invalid")
        if abs(data) > 10**_EXACT_DIGITS:  # where spelling it out would be long
            self.fail("high", high=self.high) if data > 0 else self.fail("low", low=self.low)
        return Decimal(str(data))

    def to_representation(self, value: Decimal | str) -> int | float:
        number = Decimal(value)
        return int(number) if number == int(number) else float(number)


class AmountFieldSchema(OpenApiSerializerFieldExtension):
    target_class = AmountField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        number = {"type": "number", "minimum": self.target.low, "maximum": self.target.high}
        if direction == "response":
            return {"type": "number"}
        sign = "-?" if self.target.low < 0 else ""
        whole = len(str(self.target.high))
        pattern = rf"^{sign}[0-9]{{1,{whole}}}(\.[0-9]{{1,{self.target.places}}})?$"
        return {"oneOf": [number, {"type": "string", "pattern": pattern}]}


class DayField(serializers.DateField):
    """A day, YYYY-MM-DD, of the years 1970 to 2199."""

    default_error_messages = {"day": "Must be a day between 1970 and 2199, such as 2026-11-23."}

    def to_internal_value(self, value: Any) -> dt.date:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            self.fail("day")
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail("day")


class DayFieldSchema(OpenApiSerializerFieldExtension):
    target_class = DayField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        schema = {"type": "string", "format": "date"}
        return schema | ({"pattern": "^(19[7-9]|20[0-9]|21[0-9])"} if direction == "request" else {})
