"""Erasing a client or a person of the team at the desk."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from fieldcamp.desk.guards import confirmed
from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import Client, Member
from integrations.services.erasure import erase_client, erase_member, plan_client, plan_member
from integrations.views.common import one


@confirmed
@desk_view("GET", "POST", may="erase")
def erase(request: HttpRequest, what: str, pk: str) -> HttpResponse:
    """Shows on GET what goes and what stays, and does it on POST."""
    desk_user = desk_user_of(request)
    by = None if desk_user.is_superuser else desk_user.member
    row: Any = one(request, (Client if what == "client" else Member).objects.all(), pk)
    page = reverse(f"admin:workspace_{what}_change", args=[row.pk])
    context = {**admin.site.each_context(request), "back": page, "title": gettext("Erase for good")}
    try:
        if request.method != "POST":
            plan = plan_client(row) if what == "client" else plan_member(row, by)
            title = gettext("Erase {name} for good?").format(name=plan.name)
            return render(request, "integrations/erase.html", {**context, "plan": plan, "title": title})
        if what == "client":
            erase_client(row, actor=desk_user.name)
        else:
            erase_member(row, by=by, actor=desk_user.name)
    except InvalidTransition as error:
        return render(request, "integrations/erase.html", {**context, "refusal": str(error)}, status=409)
    said = gettext("The client is erased.") if what == "client" else gettext("The person is erased.")
    messages.success(request, said)
    return HttpResponseRedirect(reverse(f"admin:workspace_{what}_changelist"))
