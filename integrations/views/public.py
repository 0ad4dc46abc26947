"""Pages for everybody: what this does, privacy, terms, support. They know no company and no session, so any cache may
keep them; what they say of the providers is each one's own `disclosure`."""

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fieldcamp.api.caching import PUBLIC
from fieldcamp.links import mailbox_of, support_url
from integrations.accounts.checking import check_soon
from integrations.providers import BY_SLUG, PROVIDERS

log = structlog.get_logger(__name__)

# What `housekeeping` keeps of the audit trail at least.
_AUDIT_DAYS = 365


def operator() -> dict[str, Any]:
    """Returns who runs this site, as far as the settings say; the pages name what they do not."""
    return {
        "name": settings.OPERATOR_NAME,
        "address": _lines(settings.OPERATOR_ADDRESS),
        "email": settings.OPERATOR_EMAIL,
        "processors": _lines(settings.OPERATOR_PROCESSORS),
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("|") if line.strip()]


def _page(template: str, more: Callable[[], dict[str, Any]] = dict) -> Callable[[HttpRequest], HttpResponse]:
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        return _public(request, template, more())

    return view


def _public(request: HttpRequest, template: str, values: dict[str, Any]) -> HttpResponse:
    context = {"operator": operator(), "providers": list(PROVIDERS.values()), **values}
    answer = render(request, f"public/{template}.html", context)
    for name, value in PUBLIC.items():
        answer[name] = value
    return answer


@require_safe
def disconnected(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows who has ended a connection at the vendor what that means. Anybody can ask for it, so it believes nothing of
    the address and changes nothing: a worker asks the vendor, whose own answer ends the connection here."""
    provider = BY_SLUG.get(slug)
    if provider is None:
        raise Http404
    if request.method == "GET":
        try:
            check_soon(provider, request.GET.get(provider.account_parameter, ""))
        except Exception as error:  # the page has to be there also while the database is not
            log.warning("access_check_failed", integration=provider.name, error=type(error).__name__)
    response = _public(request, "disconnected", {"provider": provider})
    response["Cache-Control"] = "no-store"  # each of those who come has ended something
    return response


def _kept() -> dict[str, int]:
    """Returns the days for which things are kept, as housekeeping keeps them."""
    return {
        "feed_days": settings.FEED_RETENTION_DAYS,
        "job_days": settings.JOB_RETENTION_DAYS,
        "call_days": settings.RECORD_CALL_RETENTION_DAYS,
        "change_days": settings.CHANGE_RETENTION_DAYS,
        "audit_days": max(settings.CHANGE_RETENTION_DAYS, _AUDIT_DAYS),
    }


def _asked() -> dict[str, Any]:
    """Returns where people ask for help."""
    named = settings.SUPPORT_URL or settings.OPERATOR_EMAIL
    return {"help_url": support_url() if named else "", "mailbox": mailbox_of(named)}


home = _page("home")
privacy = _page("privacy", _kept)
terms = _page("terms")
support = _page("support", _asked)
