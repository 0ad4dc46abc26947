"""The columns and filters of record lists that say how each record stands with each integration."""

import zoneinfo
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp.desk.lists.bulk import BulkMixin, tell
from fieldcamp.desk.lists.exporting import Cell
from fieldcamp.desk.lists.words import grouped
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.admin.records import RecordAdmin
from integrations.admin.jobs import provider_label
from integrations.admin.standing_words import why
from integrations.providers import PROVIDERS
from integrations.selectors.subjects import models
from integrations.services.sync_records import MOST_AT_ONCE, sync_records
from integrations.services.sync_state.standing import NOWHERE, RecordStanding, Stand, standing_so, stands, used_by

STANDINGS: dict[RecordStanding, tuple[Any, str]] = {
    RecordStanding.IN_STEP: (_("In step"), "success"),
    RecordStanding.WAITS: (_("Waits"), "info"),
    RecordStanding.DIFFERS: (_("Differs"), "warning"),
    RecordStanding.REFUSED: (_("Refused"), "danger"),
    RecordStanding.LEFT: (_("Left as it is"), "muted"),
    RecordStanding.NOT_THERE: (_("Not there"), "muted"),
}


class StandingFilter(admin.SimpleListFilter):
    """Looks at what the list's other filters and its search have left (`DeskChangeList`)."""

    kind: str
    integration: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(standing.value, words) for standing, (words, _tone) in STANDINGS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset

    def narrow(self, request: HttpRequest, rows: QuerySet) -> tuple[QuerySet, str]:
        """Returns the rows that stand so, and a sentence where not all could be looked at."""
        wanted, company = self.value(), desk_user_of(request).workspace
        if not wanted or company is None:
            return rows, ""
        if wanted not in tuple(RecordStanding):
            return rows.none(), ""
        found = standing_so(company.pk, self.kind, rows, {self.integration: str(wanted)})
        note = ""
        if found.looked_at is not None:
            note = gettext(
                "Only the first {number} were looked at for “{filter}”. Filter or search for fewer to see all."
            ).format(number=grouped(found.looked_at), filter=self.title)
        return rows.filter(pk__in=list(found.ids)), note


def filters_for(kind: str) -> dict[str, type[StandingFilter]]:
    """Returns a filter for each integration that may have such records."""
    made: dict[str, type[StandingFilter]] = {}
    for name, provider in PROVIDERS.items():
        if kind in provider.kinds:
            facts = {"title": provider.label, "parameter_name": f"sync_{name}", "kind": kind, "integration": name}
            made[name] = type(f"StandingIn_{kind}_{name}", (StandingFilter,), facts)
    return made


def shown(stand: Stand) -> str:
    """Returns the badge, with why beneath it; the record's page has the sentence."""
    words, tone = STANDINGS[stand.standing]
    reason = why(stand)
    beneath = format_html('<span class="fc-list-why">{}</span>', reason) if reason else ""
    return format_html('<span class="fc-badge fc-tone-{}">{}</span>{}', tone, words, beneath)


def _column(name: str) -> Callable[[Any], str]:
    @display(description=PROVIDERS[name].label)
    def column(record: Any) -> str:
        return shown(stand_in(record, name))

    column.__name__ = f"sync_{name}"
    return column


COLUMNS = {name: _column(name) for name in PROVIDERS}


def stand_in(record: Any, integration: str) -> Stand:
    return getattr(record, "stands", {}).get(integration, NOWHERE)


class StandingMixin(BulkMixin, RecordAdmin):
    """Adds the columns and filters, one for each integration that the company uses. Who sees several companies has
    none: the answer is one company's."""

    standing_kind: ClassVar[str]
    standing_filters: ClassVar[dict[str, type[StandingFilter]]]

    def used(self, request: HttpRequest) -> list[str]:
        """Returns the integrations of this list, asked for once in a request."""
        known = getattr(request, "_used_integrations", {})
        if self.standing_kind not in known:
            desk_user = desk_user_of(request)
            company = None if desk_user.sees_all else desk_user.workspace
            known = {**known, self.standing_kind: used_by(company.pk, self.standing_kind) if company else []}
            request._used_integrations = known  # type: ignore[attr-defined]
        return known[self.standing_kind]

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        return [*super().get_list_display(request), *(COLUMNS[name] for name in self.used(request))]

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        return [*super().get_list_filter(request), *(self.standing_filters[name] for name in self.used(request))]

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        super().prepare_rows(request, rows)
        company = desk_user_of(request).workspace
        if not rows or company is None or not self.used(request):
            return
        found = stands(company.pk, self.standing_kind, [row.pk for row in rows])
        for row in rows:
            row.stands = found.get(row.pk, {})

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the actions; there is nothing to sync where nothing is connected."""
        found = super().get_actions(request)
        if not self.used(request):
            found.pop("sync_these", None)
        return found

    @admin.action(description=_("Sync these"), permissions=["sync"])
    def sync_these(self, request: HttpRequest, queryset: QuerySet) -> None:
        desk_user = desk_user_of(request)
        company = desk_user.workspace
        if company is None or desk_user.sees_all:
            raise PermissionDenied
        ids = list(queryset.order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        found = sync_records(
            workspace=company, kind=self.standing_kind, record_ids=ids[:MOST_AT_ONCE], user=desk_user.user
        )
        left = list(found.left.values())
        left += [gettext("So many are synced at once. Choose the others again.")] * (len(ids) > MOST_AT_ONCE)
        later = gettext("The sync that is running now, or the next one, looks at them.")
        tell(request, lambda n: ngettext("{number} to be synced now", "{number} to be synced now", n).format(
            number=grouped(n)), found.done, left, later if found.done and not found.jobs else "")  # fmt: skip

    def export_cells(self, request: HttpRequest) -> Sequence[Cell]:
        return [*super().export_cells(request), *(_cell(name) for name in self.used(request))]


def _cell(name: str) -> Cell:
    def value(record: Any, zone: zoneinfo.ZoneInfo) -> str:
        stand = stand_in(record, name)
        return " – ".join(text for text in (str(STANDINGS[stand.standing][0]), why(stand)) if text)

    return Cell(provider_label(name), value)


def _with_standings() -> None:
    """Puts lists with these columns in the place of those that are there."""
    for kind, model in models().items():
        if admin.site.is_registered(model):
            own = type(admin.site.get_model_admin(model))
            admin.site.unregister(model)
            actions = (*(own.actions or ()), "sync_these")
            facts = {"standing_kind": kind, "standing_filters": filters_for(kind), "actions": actions}
            admin.site.register(model, type(f"RecordStanding{own.__name__}", (StandingMixin, own), facts))


_with_standings()
