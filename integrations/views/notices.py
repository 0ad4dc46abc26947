"""The page of notices: who gets which mail, a test of it, the weekly summary at once, and the company's chat."""

from typing import Any

import structlog
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from fieldcamp.desk.guards import confirmed, throttled
from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import DeskUser, desk_user_of
from fieldcamp.links import absolute
from fieldcamp.webhooks.checked_urls import checked_url
from fieldcamp.workspace.models import Workspace
from fieldcamp.workspace.notices import choose
from integrations.admin.notices import (
    chat_answered,
    choices_of,
    chosen,
    kinds_of,
    kinds_said,
    own_address,
    people_of,
    readers_of,
)
from integrations.mail import weekly
from integrations.mail.send import send_mail
from integrations.services import chat
from integrations.views.forms.notices import ChatForm, ChatKindsForm, MailsForm, WeekForm

log = structlog.get_logger(__name__)

_HERE = "integrations:notices"


@desk_view("GET", "POST")
def page(request: HttpRequest) -> HttpResponse:
    """Shows who gets which mail, and takes what is chosen of it."""
    desk_user = desk_user_of(request)
    people = people_of(desk_user)
    form = MailsForm(request.POST if request.method == "POST" else None, cells=choices_of(people))
    workspace = desk_user.workspace
    if workspace is not None and form.is_bound:
        if form.attempt(lambda: _choose(workspace, desk_user, form)):
            messages.success(request, _said(form.result))
            return redirect(_HERE)
        people = people_of(desk_user)
    return _shown(request, desk_user, form, people, form.status)


def _choose(workspace: Workspace, desk_user: DeskUser, form: MailsForm) -> int:
    return choose(
        workspace=workspace,
        by=desk_user.member,
        choices=chosen(form.cleaned_data["was"], form.cleaned_data["on"]),
    )


def _said(number: int) -> str:
    if not number:
        return gettext("Nothing was changed.")
    return ngettext(
        "Saved: {number} person’s mails are others now.", "Saved: {number} people’s mails are others now.", number
    ).format(number=number)


def _shown(
    request: HttpRequest, desk_user: DeskUser, form: Any, people: Any = None, status: int = 200, **more: Any
) -> HttpResponse:
    workspace, may = desk_user.workspace, desk_user.may("settings")
    people = people_of(desk_user) if people is None else people
    address = chat.chat_of(workspace) if workspace and may else None
    context = {
        **admin.site.each_context(request),
        "title": gettext("Notices"),
        "form": form,
        "people": people,
        "others": [person for person in people if not person.is_own],
        "readers": readers_of(people) if may else [],
        "may_see_company": may,
        "address": own_address(desk_user),
        "chat": address,
        "chat_failure": chat_answered(address.last_status, address.last_error) if address else "",
        "chat_kinds": kinds_said(address),
        "chat_form": ChatForm(),
        "weeks": WeekForm.base_fields["week"].choices,  # type: ignore[attr-defined]
        "company": workspace,
        **more,
    }
    return render(request, "integrations/notices.html", context, status=status)


@desk_view("POST")
@throttled
def test_mail(request: HttpRequest) -> HttpResponse:
    """Mails the person who asks, and nobody else."""
    desk_user = desk_user_of(request)
    address = own_address(desk_user)
    if not address:
        messages.warning(request, gettext("You have no e-mail address here. An owner or admin enters it under Team."))
        return redirect(_HERE)
    member = desk_user.member
    try:
        send_mail(
            "test",
            to=[address],
            subject=gettext("A test mail from FieldCamp"),
            workspace=desk_user.workspace,
            context={
                "name": member.first_name if member else desk_user.name,
                "kinds": kinds_of(member),
                "url": absolute(_HERE),
            },
        )
    except OSError as error:
        log.warning("test_mail_failed", error=type(error).__name__)
        messages.error(request, gettext("The mail server did not take it. Whoever runs this site has to look."))
    else:
        messages.success(request, gettext("A test mail was sent to {address}.").format(address=address))
    return redirect(_HERE)


@desk_view("GET", may="settings")
def week(request: HttpRequest) -> HttpResponse:
    """Shows the weekly summary as it is now."""
    desk_user, form = desk_user_of(request), WeekForm(request.GET)
    running = form.running()
    context: dict[str, Any] = {"parts": []}
    subject = gettext("Weekly summary")
    if desk_user.workspace is not None:
        first, last, parts = weekly.days_now(desk_user.workspace, timezone.now(), running=running)
        subject, context = weekly.summary_of(desk_user.workspace, first, last, parts)
    return render(
        request,
        "integrations/week.html",
        {
            **admin.site.each_context(request),
            **context,
            "title": gettext("Weekly summary"),
            "subject": subject,
            "company": desk_user.workspace,
            "running": running,
            "address": own_address(desk_user) if desk_user.member else "",
        },
        status=400 if form.errors else 200,
    )


@desk_view("POST", may="settings")
@throttled
def mail_week(request: HttpRequest) -> HttpResponse:
    """Mails the weekly summary to the person who asks, and to nobody else."""
    desk_user, form = desk_user_of(request), WeekForm(request.POST)
    member = desk_user.member
    if member is None or not member.email:
        messages.warning(request, gettext("You have no e-mail address here. An owner or admin enters it under Team."))
        return redirect(_HERE)
    try:
        sent = weekly.send_now(member, timezone.now(), running=form.running())
    except OSError as error:
        log.warning("week_mail_failed", error=type(error).__name__)
        messages.error(request, gettext("The mail server did not take it. Whoever runs this site has to look."))
    else:
        if sent:
            messages.success(request, gettext("The weekly summary was sent to {address}.").format(address=member.email))
        else:
            messages.info(request, gettext("Nothing was connected in that week, so there is nothing to send."))
    return redirect(_HERE)


@desk_view("POST", may="settings")
@confirmed
def chat_address(request: HttpRequest) -> HttpResponse:
    """Takes the address of the company's chat; whoever knows it may write there, so it is never shown whole again."""
    desk_user, form = desk_user_of(request), ChatForm(request.POST)
    workspace = desk_user.workspace
    if workspace is not None and form.attempt(
        lambda: chat.set_address(
            workspace=workspace, url=checked_url(form.cleaned_data["url"].strip()), by=desk_user.name
        )
    ):
        messages.success(request, gettext("The address is saved. Send a test to see whether it arrives."))
        return redirect(_HERE)
    people = people_of(desk_user)
    return _shown(request, desk_user, MailsForm(cells=choices_of(people)), people, 400, chat_form=form)


@desk_view("POST", may="settings")
def chat_kinds(request: HttpRequest) -> HttpResponse:
    workspace, form = desk_user_of(request).workspace, ChatKindsForm(request.POST)
    if workspace is not None and form.attempt(
        lambda: chat.choose_kinds(workspace=workspace, kinds=form.cleaned_data["kinds"])
    ):
        messages.success(request, gettext("Saved what is said in the chat."))
    else:
        messages.warning(request, " ".join(error.sentence for error in form.summary))
    return redirect(_HERE)


@desk_view("POST", may="settings")
@throttled
def chat_test(request: HttpRequest) -> HttpResponse:
    """Says a test in the chat now, and shows what was answered."""
    workspace = desk_user_of(request).workspace
    answer = chat.try_address(workspace=workspace) if workspace else None
    if answer is None:
        messages.warning(request, gettext("There is no address to say it at. Enter one first."))
    elif answer.is_accepted:
        messages.success(request, gettext("The test was taken: look into the channel."))
    else:
        why = chat_answered(answer.status, answer.error)
        messages.error(request, gettext("The test did not arrive: {why}.").format(why=why))
    return redirect(_HERE)


@desk_view("POST", may="settings")
def chat_remove(request: HttpRequest) -> HttpResponse:
    workspace = desk_user_of(request).workspace
    if workspace and chat.remove_address(workspace=workspace):
        messages.success(request, gettext("The address is removed. Nothing is said there any more."))
    return redirect(_HERE)
