"""The weekly summary: once a week for each owner and admin, in the morning where their company is."""

import datetime as dt
import zoneinfo
from itertools import groupby
from typing import Any

import structlog
from django.core import signing
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fieldcamp.links import absolute
from fieldcamp.texts import said
from fieldcamp.workspace import team
from fieldcamp.workspace.models import Member, Role, Workspace
from fieldcamp.workspace.notices import WEEKLY
from fieldcamp.workspace.tracking import attributed
from integrations.mail.chat import say_week
from integrations.mail.send import send_mail
from integrations.models import Connection, SummaryMail
from integrations.selectors.links import connection_url, dashboard_url, reconnect_url, setup_url
from integrations.selectors.week import IntegrationWeek, week_of

log = structlog.get_logger(__name__)

FROM_HOUR, TO_HOUR = 8, 18
AT_ONCE = 200
_SALT = "weekly-summary"


def send_due(now: dt.datetime) -> int:
    """Writes to whoever has not got last week's summary yet, `AT_ONCE` people at most; how many were written to.

    Due from Monday 08:00 of the company's zone on, by day only: a worker that was down on Monday catches up on Tuesday.
    """
    connected = Connection.objects.connected().filter(workspace=OuterRef("pk"))
    companies = Workspace.objects.filter(Exists(connected))
    sent = 0
    for name in companies.order_by().values_list("timezone", flat=True).distinct():
        local = now.astimezone(zoneinfo.ZoneInfo(name))
        if FROM_HOUR <= local.hour < TO_HOUR:
            sent += _send_in_zone(companies.filter(timezone=name), local, AT_ONCE - sent)
    return sent


def _send_in_zone(companies: QuerySet[Workspace], local: dt.datetime, most: int) -> int:
    monday = local.date() - dt.timedelta(days=local.weekday())
    week = monday - dt.timedelta(days=7)
    start, end = (dt.datetime.combine(day, dt.time(), local.tzinfo) for day in (week, monday))
    people = (
        readers()
        .filter(workspace__in=companies, created_at__lt=end)
        .exclude(Exists(SummaryMail.objects.filter(member=OuterRef("pk"), week=week)))
    )
    sent = 0
    rows = people.select_related("workspace").order_by("workspace_id", "pk")[: max(most, 0)]
    for _workspace_id, members in groupby(rows, key=lambda member: member.workspace_id):
        parts: list[IntegrationWeek] | None = None
        for member in members:
            if parts is None:
                parts = week_of(member.workspace, start, end)
                if parts:
                    sentence = summary_of(member.workspace, week, monday - dt.timedelta(days=1), parts)[0]
                    say_week(member.workspace_id, week, WEEKLY, sentence, dashboard_url())
            sent += bool(parts) and _send_once(member, week, parts)
    return sent


def readers() -> QuerySet[Member]:
    """Owners and admins who can act on it: with an e-mail address and a login, and not signed off."""
    return Member.objects.filter(
        role__in=[Role.OWNER, Role.ADMIN], is_active=True, user__is_active=True, weekly_summary=True
    ).exclude(email="")


def _send_once(member: Member, week: dt.date, parts: list[IntegrationWeek]) -> bool:
    """Sends it if nobody has. Claimed first: a second mail is worse than none, and a mail server that is down gives
    the claim back."""
    claim, mine = SummaryMail.objects.get_or_create(member=member, week=week)
    if not mine:
        return False
    try:
        _mail(member, week, parts)
    except Exception:  # the others get theirs, whatever is wrong with this one
        log.exception("summary_mail_failed", member_id=member.pk)
        claim.delete()
        return False
    return True


def _mail(member: Member, week: dt.date, parts: list[IntegrationWeek]) -> None:
    last = week + dt.timedelta(days=6)
    subject, context = summary_of(member.workspace, week, last, parts)
    stop = absolute("integrations:weekly", signing.dumps(member.pk, salt=_SALT))
    send_mail(
        "weekly",
        to=[member.email],
        subject=subject,
        workspace=member.workspace,
        context={**context, "member": member, "stop_url": stop},
        # One click in the mail program: https://www.rfc-editor.org/rfc/rfc8058
        headers={"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )


def summary_of(
    workspace: Workspace, first: dt.date, last: dt.date, parts: list[IntegrationWeek]
) -> tuple[str, dict[str, Any]]:
    """Returns the summary's subject and what it says, for the mail and for who looks at it at the desk."""
    waiting = sum(part.open for part in parts)
    subject = (
        ngettext(
            "{number} thing needs you: the week of {company}",
            "{number} things need you: the week of {company}",
            waiting,
        )
        if waiting
        else _("The week of {company}")
    ).format(number=waiting, company=said(workspace.name))
    steps = [(part, *next_step(part)) for part in parts]
    return subject, {"parts": steps, "first": first, "last": last, "url": dashboard_url()}


def days_now(
    workspace: Workspace, now: dt.datetime, *, running: bool
) -> tuple[dt.date, dt.date, list[IntegrationWeek]]:
    """Returns the first and the last day and what they brought: of the week that the last mail was about, or of the one
    that is `running`, up to now."""
    zone = zoneinfo.ZoneInfo(workspace.timezone)
    today = now.astimezone(zone).date()
    monday = today - dt.timedelta(days=today.weekday())
    first, end = (monday, today + dt.timedelta(days=1)) if running else (monday - dt.timedelta(days=7), monday)
    start, stop = (dt.datetime.combine(day, dt.time(), zone) for day in (first, end))
    return first, end - dt.timedelta(days=1), week_of(workspace, start, stop)


def send_now(member: Member, now: dt.datetime, *, running: bool) -> bool:
    """Mails the summary to who asks for it, whatever they have got already; False where nothing was connected by then.
    OSError if it cannot be sent."""
    first, last, parts = days_now(member.workspace, now, running=running)
    if parts:
        subject, context = summary_of(member.workspace, first, last, parts)
        send_mail(
            "weekly",
            to=[member.email],
            subject=subject,
            workspace=member.workspace,
            context={**context, "member": member, "stop_url": "", "asked_for": True},
        )
    return bool(parts)


def next_step(part: IntegrationWeek) -> tuple[str, str]:
    """Returns what to do next about this integration, and where."""
    if part.broken:
        words = _("Reconnect {account}.").format(account=part.broken.account_name)
        return words, reconnect_url(part.broken)
    if part.unfinished:
        words = _("Finish setting up {account}.").format(account=part.unfinished.account_name)
        return words, setup_url(part.unfinished.pk)
    if part.open:
        return _("Look at what needs you on the dashboard."), f"{dashboard_url()}#needs"
    if part.paused:
        words = _("{account} is paused; resume it when you want it synced again.").format(
            account=part.paused.account_name
        )
        return words, connection_url(part.paused.pk)
    return _("Nothing to do."), ""


def reader_of(token: str) -> Member | None:
    """Returns whose mail the address with this token came with."""
    try:
        pk = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return Member.objects.select_related("workspace").filter(pk=pk, is_active=True).first()


def want(member: Member, wanted: bool) -> None:
    """Signs the person off, or on again."""
    with attributed(actor=str(member)):
        team.update_member(workspace=member.workspace, member_id=member.pk, by=None, changes={"weekly_summary": wanted})
