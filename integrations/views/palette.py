"""The palette and its search page: one answer, as a page or as the part of one that the script asks for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from fieldcamp.desk.site import desk_view
from integrations.admin.palette import palette


@desk_view("GET")
def find(request: HttpRequest) -> HttpResponse:
    """Shows what `q` finds among records, accounts, jobs, pages and deeds."""
    search = request.GET.get("q", "")
    context = {"groups": palette(request, search), "q": search, "title": gettext("Find")}
    if "HX-Request" in request.headers:
        return render(request, "integrations/find_results.html", {**context, "is_list": True})
    return render(request, "integrations/find.html", {**_frame(request), **context})


def _frame(request: HttpRequest) -> dict:
    from django.contrib import admin

    return admin.site.each_context(request)
