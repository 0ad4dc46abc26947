"""Where the weekly summary's links lead."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from integrations.mail.weekly import reader_of, want


@never_cache
@csrf_exempt  # mail programs post it, with no page before; the token in the address says who asks
@require_http_methods(["GET", "POST"])
def weekly(request: HttpRequest, token: str) -> HttpResponse:
    """Signs off from the weekly summary, or on again. GET only asks: programs that look at links must not do it."""
    member = reader_of(token)
    if member is None:
        raise Http404
    if request.method == "POST":
        want(member, "again" in request.POST)
        member.refresh_from_db()
    return render(request, "mail/preference.html", {"member": member, "saved": request.method == "POST"})
