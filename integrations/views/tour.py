"""The demo's tour can be put away, for good."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.models import Member

_KEY = "tour_dismissed"


def is_dismissed(request: HttpRequest) -> bool:
    """Dismisses the tour: kept with the person, or with the session of an operator who belongs to no company."""
    member = desk_user_of(request).member
    return member.tour_dismissed if member else _KEY in request.session


@desk_view("POST")
def dismiss(request: HttpRequest) -> HttpResponse:
    member = desk_user_of(request).member
    if member:
        Member.objects.filter(pk=member.pk).update(tour_dismissed=True)
    else:
        request.session[_KEY] = True
    return HttpResponseRedirect(reverse("admin:index"))
