"""The buttons beside a record's counterparts."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from integrations.models import Link
from integrations.services.books.links import part as part_link
from integrations.views.common import attempt, back, done, one


@desk_view("POST", may="settings")
def part(request: HttpRequest, link_id: int) -> HttpResponse:
    """Parts a record from what it is linked with by mistake."""
    rows = Link.objects.select_related("stream__connection__workspace")
    link = one(request, rows, str(link_id), "stream__connection__workspace")
    worked, _job = attempt(request, lambda: part_link(link=link, user=desk_user_of(request).user))
    if not worked:
        return back(request)
    said = gettext("Parted. Say below what it is: the same after all, or another one that is made there.")
    return done(request, link, said)
