"""The pages of a connect link: what is asked for and by whom, the way to the vendor's consent, and what came of it.

They are for somebody without a login, and open nothing else. Following the link changes nothing, which mail programs do
by themselves: only a consent that has come back uses it up. The token goes from the address into nothing: the session
keeps the link's id, so that the token stands in no Referer header and in no stored session.
"""

import zoneinfo
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from fieldcamp.signin import throttle
from fieldcamp.signin.addresses import client_address
from fieldcamp.signin.middleware import too_many
from integrations.accounts.consent import ConsentRequest
from integrations.models import ConnectLink, ConnectLinkState
from integrations.providers import PROVIDERS
from integrations.selectors.connect_links import connect_links, find_connect_link
from integrations.services.connect_links.using import LinkRefused, renewed_by, return_address

A_MINUTE = 60  # pages that one address may ask for: a company's mail scanner looks at many links
_FOLLOWED, _SAID = "connect_links", "connect_link_ended"  # in the session
_MOST = 10  # links that one browser has open

View = Callable[..., HttpResponseBase]


def _for_strangers(view: View) -> View:
    """Wraps a page that somebody without a login may see: not too often, kept nowhere and found by no search engine."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            throttle.calls("connect_link", client_address(request), limit=A_MINUTE)
        except throttle.Throttled as refused:
            return too_many(request, refused)
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        return response

    return wrapped


@require_safe
@_for_strangers
@sensitive_variables("token")
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Leads on from the link's address to its page, which has no secret in its own."""
    link = find_connect_link(token)
    if link is None:
        response = _unknown(request)
    else:
        _remember(request, link)
        response = redirect("connect_link_page", link.pk)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _remember(request: HttpRequest, link: ConnectLink) -> None:
    others = [each for each in _followed(request) if each != link.pk]
    request.session[_FOLLOWED] = [*others, link.pk][-_MOST:]


def _followed(request: HttpRequest) -> list[str]:
    """Returns the ids of the links that this browser has followed, the latest one last."""
    return list(request.session.get(_FOLLOWED, ()))


@require_http_methods(["GET", "HEAD", "POST"])
@_for_strangers
# Browsers hold each redirect that follows the button to that rule, and nobody can list a vendor's hosts.
@csp_replace({"form-action": None})  # type: ignore[arg-type]
def page(request: HttpRequest, link_id: str) -> HttpResponse:
    """Shows on GET what the link is for, or what came of it, and leads on to consent on POST."""
    link = connect_links().filter(pk=link_id).first() if link_id in _followed(request) else None
    if link is None:
        return _unknown(request)
    if request.method == "POST" and link.state == ConnectLinkState.OPEN:
        return _to_consent(request, link)
    return _page(request, link)


def _page(request: HttpRequest, link: ConnectLink) -> HttpResponse:
    said = request.session.get(_SAID) or {}
    said = said if said.get("link") == link.pk else {}
    is_open, failed = link.state == ConnectLinkState.OPEN, said.get("page", "")
    context = {
        "link": link,
        "provider": PROVIDERS[link.integration],
        "asked_by_person": link.key_id is None,
        "renewed": renewed_by(link) if is_open else None,
        "failed": failed,
        "said": said,
        "back_url": return_address(link, "connected" if link.state == ConnectLinkState.USED else "refused"),
        "shows_way_back": bool(failed) or not is_open,
    }
    with timezone.override(zoneinfo.ZoneInfo(link.workspace.timezone)):
        return render(request, "connect/link.html", context, status=200 if is_open or failed == "done" else 410)


def _unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "connect/link_unknown.html", status=404)


def _to_consent(request: HttpRequest, link: ConnectLink) -> HttpResponse:
    provider = PROVIDERS[link.integration]
    try:
        dance = get_adapter(request).get_provider(request, provider.slug)
    except SocialApp.DoesNotExist:
        request.session[_SAID] = {"link": link.pk, "page": "misconfigured"}
        return redirect("connect_link_page", link.pk)
    request.session.pop(_SAID, None)
    auth_params = dance.get_auth_params()
    if renewed := renewed_by(link):
        auth_params["login_hint"] = renewed.account_name
    intent = ConsentRequest("", link.workspace_id, link_id=link.pk)
    return dance.redirect(request, process="redirect", data=intent.to_state(), auth_params=auth_params)


def done(request: HttpRequest, link: ConnectLink) -> HttpResponse:
    """Leads on after a consent that was taken: to the company's own application where the link says so."""
    request.session[_SAID] = {"link": link.pk, "page": "done"}
    back = return_address(link, "connected")
    return HttpResponseRedirect(back) if back else redirect("connect_link_page", link.pk)


def refused(request: HttpRequest, link_id: str, name: str, *, error: LinkRefused | None = None) -> HttpResponse:
    """Leads back to the link's page after a consent in vain; `name` is the page of `views.consent`, or LinkRefusal."""
    told = error.told() if error else {}
    request.session[_SAID] = {"link": link_id, "page": name, **told}
    return redirect("connect_link_page", link_id)


def latest_link_of(request: HttpRequest) -> str:
    """Returns the id of the link that somebody without a login was following, to whom nothing else leads back; "" for
    everybody else."""
    if request.user.is_authenticated:
        return ""
    return next(reversed(_followed(request)), "")
