"""The mail of new problems: once a day at most, by day, for who has asked for it and where something new waits."""

import datetime as dt
import zoneinfo

import structlog
from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from fieldcamp.texts import said
from fieldcamp.workspace.models import Member, Role
from fieldcamp.workspace.notices import PROBLEMS
from integrations.mail.send import send_mail
from integrations.mail.weekly import FROM_HOUR, TO_HOUR
from integrations.models import Problem
from integrations.selectors.dashboard import new_questions
from integrations.selectors.links import dashboard_url

log = structlog.get_logger(__name__)

AT_ONCE = 200
SHOWN = 10
LONGEST = dt.timedelta(days=7)  # what is older is no news


def send_due(now: dt.datetime) -> int:
    """Writes to whoever has not been written to today and has something new; how many were written to."""
    sent = 0
    zones = readers().order_by().values_list("workspace__timezone", flat=True).distinct()
    for name in zones:
        local = now.astimezone(zoneinfo.ZoneInfo(name))
        if FROM_HOUR <= local.hour < TO_HOUR:
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
            due = readers().filter(Q(problems_told_at=None) | Q(problems_told_at__lt=midnight))
            rows = due.filter(workspace__timezone=name).select_related("workspace").order_by("workspace_id", "pk")
            sent += sum(_send(member, now) for member in rows[: max(AT_ONCE - sent, 0)])
    return sent


def readers() -> QuerySet[Member]:
    """Returns the owners and admins who have asked for it and can act on it."""
    people = Member.objects.filter(role__in=(Role.OWNER, Role.ADMIN), is_active=True, user__is_active=True)
    return people.filter(**{f"notices__{PROBLEMS.name}": True}).exclude(email="")


def _send(member: Member, now: dt.datetime) -> bool:
    told = member.problems_told_at
    since = max(told, now - LONGEST) if told else now - dt.timedelta(days=1)
    found, number = new_questions(member.workspace, since, SHOWN)
    if not number:
        return False
    # Claimed first: a second mail is worse than none, and a mail server that is down gives the claim back.
    if not Member.objects.filter(pk=member.pk, problems_told_at=told).update(problems_told_at=now):
        return False
    try:
        _mail(member, found, number)
    except Exception:  # the others get theirs, whatever is wrong with this one
        log.exception("problems_mail_failed", member_id=member.pk)
        Member.objects.filter(pk=member.pk, problems_told_at=now).update(problems_told_at=told)
        return False
    return True


def _mail(member: Member, found: list[Problem], number: int) -> None:
    subject = ngettext(
        "{number} new thing needs you: {company}", "{number} new things need you: {company}", number
    ).format(number=f"{number:,}", company=said(member.workspace.name))
    send_mail(
        "problems",
        to=[member.email],
        subject=subject,
        workspace=member.workspace,
        context={
            "member": member,
            "problems": found,
            "more": number - len(found),
            "url": f"{dashboard_url()}#needs",
        },
    )
