"""Filters that lists share: between two days of the company, and spans of days that are one click away."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.templatetags.desk import day


def start_of(date: dt.date) -> dt.datetime:
    """Returns the company's midnight with which the day begins: its zone is the active one."""
    return timezone.make_aware(dt.datetime.combine(date, dt.time.min))


def as_day(text: Any) -> dt.date | None:
    try:
        found = parse_date(str(text or "")[:10])
    except ValueError:
        return None
    # The calendar ends there, and databases know no day after it.
    return found if found and dt.date(1900, 1, 1) <= found <= dt.date(9000, 1, 1) else None


class BetweenDays(admin.FieldListFilter):
    """From one day to another, both included. Of a time the company's days count."""

    words: Any = ""

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str):
        super().__init__(field, request, params, model, model_admin, field_path)
        self.title = self.words or self.title
        self.is_time = isinstance(field, models.DateTimeField)
        self.dates: dict[str, str] = {}
        for name in self.expected_parameters():
            value = self.used_parameters.pop(name, None)
            text = str((value[-1] if isinstance(value, list) else value) or "").strip()[:32]
            if text:
                self.used_parameters[name] = text
            self.dates[name] = text

    def expected_parameters(self) -> list[Any]:
        return [f"{self.field_path}_from", f"{self.field_path}_to"]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Any]:
        return iter(())

    @property
    def bounds(self) -> tuple[dt.date | None, dt.date | None]:
        first, last = (as_day(self.dates[name]) for name in self.expected_parameters())
        return first, last

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Returns the rows between the days; what is no day leaves nothing, rather than everything."""
        first, last = self.bounds
        if any(text and not as_day(text) for text in self.dates.values()):
            return queryset.none()
        conditions: dict[str, Any] = {}
        if first:
            conditions[f"{self.field_path}__gte"] = start_of(first) if self.is_time else first
        if last:
            after = last + dt.timedelta(days=1)
            conditions[f"{self.field_path}__lt"] = start_of(after) if self.is_time else after
        return queryset.filter(**conditions)

    @property
    def said(self) -> str:
        """Returns what the chip says."""
        first, last = (
            day(found) if (found := as_day(text)) else text
            for text in (self.dates[n] for n in self.expected_parameters())
        )
        if first and last:
            return gettext("{first} to {last}").format(first=first, last=last)
        return gettext("from {first}").format(first=first) if first else gettext("until {last}").format(last=last)


def between_days(words: Any) -> type[BetweenDays]:
    """Returns the filter with a name of its own, where the column's is not said to people."""
    return type("NamedBetweenDays", (BetweenDays,), {"words": words})


class SpanFilter(admin.SimpleListFilter):
    """Spans of the company's days, shown as tabs. Without a choice the list opens on the first one; who searches, or
    has chosen days, looks through all."""

    title = _("when")
    parameter_name = "when"
    is_tabs = True
    path: str  # the time that a row begins at
    end_path: str = ""  # and ends at: what began before the span and lasts into it belongs to it
    beside: tuple[str, ...] = ()  # parameters with which the list does not open on its span
    spans: tuple[tuple[str, Any], ...] = (
        ("upcoming", gettext_lazy("From today")),
        ("today", gettext_lazy("Today")),
        ("week", gettext_lazy("This week")),
        ("next_week", gettext_lazy("Next week")),
        ("never", gettext_lazy("Not scheduled")),
        ("all", gettext_lazy("All")),
    )

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any):
        narrowed = any(request.GET.get(name, "").strip() for name in ("q", *self.beside))
        self.usual = "all" if narrowed else self.spans[0][0]
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return self.spans

    @property
    def chosen(self) -> str:
        value = self.value()
        return str(value) if value in dict(self.spans) else self.usual

    def days(self) -> tuple[dt.date | None, dt.date | None]:
        """Returns the first day and the day after the last; None where there is no such end."""
        today = timezone.localdate()
        monday = today - dt.timedelta(days=today.weekday())
        week = dt.timedelta(days=7)
        return {
            "upcoming": (today, None),
            "today": (today, today + dt.timedelta(days=1)),
            "week": (monday, monday + week),
            "next_week": (monday + week, monday + 2 * week),
        }.get(self.chosen, (None, None))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.chosen == "never":
            return queryset.filter(**{f"{self.path}__isnull": True})
        first, after = self.days()
        if first:
            since = Q(**{f"{self.path}__gte": start_of(first)})
            if self.end_path:
                since |= Q(**{f"{self.end_path}__gt": start_of(first)})
            queryset = queryset.filter(since)
        return queryset.filter(**{f"{self.path}__lt": start_of(after)}) if after else queryset

    def tabs(self, changelist: Any) -> list[dict[str, Any]]:
        return [
            {
                "label": label,
                "url": changelist.get_query_string({self.parameter_name: value}),
                "current": value == self.chosen,
            }
            for value, label in self.spans
        ]
