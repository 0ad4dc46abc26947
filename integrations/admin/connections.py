"""Connections: the list, and one connection's page (its passport). Never a token: the grant's columns are named one
by one."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from fieldcamp.desk.admins import ScopedAdmin
from fieldcamp.desk.lists.exporting import chosen, field, worked_out
from fieldcamp.desk.lists.words import EmptyList, grouped
from fieldcamp.desk.templatetags.desk import when
from fieldcamp.desk.users import DeskUser, desk_user_of
from integrations.admin.account_rows import TONES, tone_of
from integrations.admin.account_story import (
    access_sentences,
    account_heading,
    account_word,
    books_sentences,
    calendar_sentences,
)
from integrations.admin.books_card import books_context
from integrations.admin.buttons import connection_buttons, rights_at, sync_button
from integrations.admin.cards import JOB_TONES
from integrations.admin.endings import ending_lines
from integrations.admin.intervals import every
from integrations.admin.jobs import IntegrationFilter, provider_label
from integrations.admin.metering import meter_context
from integrations.admin.problem_cards import problem_cards
from integrations.models import Connection, ConnectionState, JobStatus, OAuthGrant, Problem, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.queue.planning import interval_minutes_of
from integrations.selectors.budget import usage_of
from integrations.selectors.freshness import NEVER
from integrations.selectors.push import push_states, recent_pushes
from integrations.selectors.runs import strips_of
from integrations.selectors.stalls import all_freshness, in_flight, stalls_among
from integrations.services.doctor.accounts import SHORT
from integrations.services.setup import keeps_books

_GRANT = ("scopes", "expires_at", "refresh_expires_at", "granted_at", "refreshed_at")


@dataclass(frozen=True)
class Permission:
    words: str
    scope: str
    granted: bool


@dataclass(frozen=True)
class Passport:
    """What is known of the grant, without the grant."""

    permissions: list[Permission]
    granted_at: dt.datetime | None
    refreshed_at: dt.datetime | None
    expires_at: dt.datetime | None
    refresh_expires_at: dt.datetime | None
    age: dt.timedelta | None

    @property
    def is_short(self) -> bool:
        """Returns whether it ends within days, as no vendor does but to an app that is in its testing mode."""
        return bool(self.granted_at and self.refresh_expires_at and self.refresh_expires_at <= self.granted_at + SHORT)


def passport_of(connection: Connection) -> Passport | None:
    """Returns the grant's facts; none where nothing has been granted, or the connection is disconnected."""
    grant = OAuthGrant.objects.filter(connection=connection).values(*_GRANT).first()
    if grant is None or connection.state == ConnectionState.DISCONNECTED:
        return None
    scopes = set(grant.pop("scopes") or [])
    fresh = grant["refreshed_at"] or grant["granted_at"]
    needed = PROVIDERS[connection.integration].permissions
    return Passport(
        permissions=[Permission(words, scope, scope in scopes) for scope, words in needed.items()],
        age=timezone.now() - fresh if fresh else None,
        **grant,
    )


def connection_context(connection: Connection, desk_user: DeskUser) -> dict[str, Any]:
    """Returns the page; a constant number of queries."""
    open_ones = Problem.objects.filter(connection=connection, resolved_at=None).select_related("connection", "link")
    parts = connection.job_parts.select_related("job").order_by("-job__created_at", "-job_id")[:10]
    log = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Connection), object_id=connection.pk
    ).select_related("user")
    row = WorkspaceIntegration.objects.filter(
        workspace_id=connection.workspace_id, integration=connection.integration
    ).first()
    now = timezone.now()
    jobs = in_flight(connection.workspace_id)
    fresh = all_freshness([connection], jobs, now)
    stall = next(iter(stalls_among([connection], fresh, jobs, now)), None)
    may_change = rights_at(desk_user).may_change(connection)
    label = provider_label(connection.integration)
    books = books_context(connection, may_change) if keeps_books(connection) else None
    streams = list(connection.streams.order_by("-is_active", "-is_target", "container_name"))
    passport = passport_of(connection)
    needs = problem_cards(list(open_ones.order_by("ignored_at", "-occurred_at")[:50]), desk_user)
    tone = tone_of(connection, stalled=stall is not None)
    asks = any(card.problem.ignored_at is None and not card.problem.notice for card in needs)
    return {
        "connection": connection,
        "books": books,
        "label": label,
        "heading": account_heading(connection, label),
        "word": account_word(connection, stalled=stall is not None, asks=asks),
        "synced": books_sentences(books["kinds"]) if books else calendar_sentences(streams),
        "access": access_sentences(connection, passport, label),
        "may_change": may_change and connection.usable,
        "strip": strips_of(connection.workspace, [connection], now, days=30)[0],
        "tone": "warning" if asks and tone == "success" else tone,
        "freshness": fresh.get(connection.pk, NEVER),
        "stall": stall,
        "by_link": connection.connect_links.order_by("-used_at").values_list("pk", flat=True).first()
        if desk_user.may("connect") and not connection.connected_by_id
        else None,
        "passport": passport,
        "ending": ending_lines([connection], rights_at(desk_user), now).get(connection.pk),
        "streams": streams,
        "jobs": [(part.job, JOB_TONES[JobStatus(part.job.status)]) for part in parts],
        "needs": needs,
        "buttons": connection_buttons(connection, desk_user, rights_at(desk_user)),
        "sync": sync_button(connection, desk_user),
        "schedule": row,
        "every": every(interval_minutes_of(row) if row else settings.SYNC_INTERVAL_MINUTES),
        "push": push_states([connection], now).get(connection.pk),
        "pushes": recent_pushes(connection) if PROVIDERS[connection.integration].push else None,
        **meter_context(connection, now),
        "used": usage_of([connection], now)[connection.pk],
        "log": list(log[:10]),
    }


@admin.register(Connection)
class ConnectionAdmin(ScopedAdmin):
    list_display = ("account_name", "integration_label", "member", "shown_state", "last_synced", "connected")
    list_filter = ("state", IntegrationFilter)
    search_fields = ("account_name", "member__first_name", "member__last_name", "=id")
    search_help_text = _("Account or person")
    empty = EmptyList(
        _("Nothing is connected yet. Calendars and books are connected on the dashboard."),
        _("Connect an account"),
        "admin:index",
        "connect",
    )
    cells = (
        field("account_name", _("Account")),
        worked_out(lambda row: provider_label(row.integration), _("Integration")), field("member", _("Member")),
        chosen("state", _("State")), field("last_synced_at", _("Last sync")), field("connected_at", _("Connected")),
    )  # fmt: skip

    def counted(self, number: int) -> str:
        return ngettext("{number} connection", "{number} connections", number).format(number=grouped(number))

    list_select_related = ("member",)
    ordering = ("integration", "account_name", "pk")

    @display(description=_("Integration"), ordering="integration")
    def integration_label(self, connection: Connection) -> str:
        return provider_label(connection.integration)

    @display(description=_("State"), label={state.value: tone for state, tone in TONES.items()}, ordering="state")
    def shown_state(self, connection: Connection) -> tuple[str, str]:
        return connection.state, connection.get_state_display()

    @display(description=_("Last sync"), ordering="last_synced_at")
    def last_synced(self, connection: Connection) -> str:
        return when(connection.last_synced_at)

    @display(description=_("Connected"), ordering="connected_at")
    def connected(self, connection: Connection) -> str:
        return when(connection.connected_at)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Returns the connection's page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        connection = self.get_object(request, unquote(object_id))
        if connection is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": connection,
            "title": connection.account_name,
            **connection_context(connection, desk_user_of(request)),
        }
        return TemplateResponse(request, "integrations/connection.html", context)
