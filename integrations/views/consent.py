"""Where allauth's dance ends and a connection begins. Nobody is signed in by it, and no SocialAccount is made.

Why so strict: an account that allauth has linked logs its holder in. A calendar must not be a key to the dashboard.
"""

from typing import Any

import structlog
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from fieldcamp.links import absolute
from integrations.accounts.consent import ConsentRequest
from integrations.errors import Misconfigured, ProviderError, Transient
from integrations.providers import BY_SLUG
from integrations.providers.oauth import OAuth
from integrations.providers.refusals import ConsentEnd
from integrations.services import connections
from integrations.services.connect_links.using import LinkRefused, accept_by_link
from integrations.services.failed_consents import keep_failed_consent
from integrations.transport.session import session
from integrations.views.connect_links import done, latest_link_of, refused

log = structlog.get_logger(__name__)
_SAID = "consent_ended"  # in the session
# How a consent may end that makes no connection, and what its page is answered with.
_PAGES = {
    "cancelled": 200, "administrators": 200, "allowed": 200, "expired": 200, "misconfigured": 503, "unavailable": 200,
    "failed": 200, "blocked": 200, "another_account": 200, "refused": 403, "other_person": 403, "other_account": 409,
}  # fmt: skip


class ConnectAdapter(DefaultSocialAccountAdapter):
    """Takes the grant of a consent that our own page has started, and refuses every other."""

    def get_requests_session(self):
        return session()

    def is_open_for_signup(self, request, sociallogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin) -> None:
        raise ImmediateHttpResponse(_accept(request, sociallogin))

    def on_authentication_error(
        self, request: HttpRequest, provider, error=None, exception=None, extra_context: dict[str, Any] | None = None
    ) -> None:
        """Ends every way in which consent can fail on a page that says what happened and what to press."""
        state = (extra_context or {}).get("state")
        cause = exception.__cause__ if exception else None
        link = _for_administrators(request, provider.id)
        name, sentence = _end_of(request, provider.id, state, cause, cancelled=error == AuthError.CANCELLED)
        if link and state is not None:
            name, sentence = ConsentEnd.ADMINISTRATORS.value, ""
        log.info("consent_failed", provider_id=provider.id, page=name, cause=type(cause or exception).__name__)
        intent = ConsentRequest.from_state((state or {}).get("data"))
        if intent:
            keep_failed_consent(intent, BY_SLUG[provider.id], name, sentence)
        link_id = intent.link_id if intent else latest_link_of(request) if state is None else ""
        if link_id:
            raise ImmediateHttpResponse(refused(request, link_id, name))
        raise ImmediateHttpResponse(_page(request, name, provider.id, intent, reason=sentence, link=link))


def _end_of(
    request: HttpRequest, slug: str, state: Any, cause: BaseException | None, *, cancelled: bool
) -> tuple[str, str]:
    """Returns the name of the page on which a consent ends, and what it says besides."""
    reason = str(cause) if isinstance(cause, ProviderError) else ""
    if state is None:
        if cancelled:
            return ConsentEnd.CANCELLED, ""
        # An administrator comes back, who has begun nothing here; or it is too late, was sent twice (the back button),
        # or comes from another browser.
        return ("allowed" if request.GET.get("admin_consent") else "expired"), ""
    if isinstance(cause, Misconfigured):
        return ConsentEnd.MISCONFIGURED, reason
    if isinstance(cause, Transient):
        return ConsentEnd.UNAVAILABLE, reason
    authentication = BY_SLUG[slug].authentication
    if cause is None and "error" in request.GET and isinstance(authentication, OAuth):
        meant = authentication.meaning(request.GET.dict())
        return meant.end, meant.sentence
    return (ConsentEnd.CANCELLED if cancelled else ConsentEnd.FAILED), reason


def _for_administrators(request: HttpRequest, slug: str) -> str:
    """Returns where an administrator allows the app, if the vendor's answer says that only one may; else ""."""
    authentication = BY_SLUG[slug].authentication
    if not isinstance(authentication, OAuth) or authentication.administrators is None:
        return ""
    return authentication.administrators(request.GET.dict(), absolute(f"{slug}_callback"))


def _accept(request: HttpRequest, sociallogin) -> HttpResponse:
    slug = sociallogin.account.provider
    intent = ConsentRequest.from_state(sociallogin.state.get("data"))
    if sociallogin.state.get("process") != AuthProcess.REDIRECT or intent is None:
        return _page(request, "refused", slug)
    if intent.link_id:
        return _accept_by_link(request, intent.link_id, slug, sociallogin)
    if not request.user.is_authenticated or str(request.user.pk) != intent.user_id:
        return _page(request, "other_person", slug)
    try:
        connection = connections.accept_consent(
            intent=intent,
            integration=BY_SLUG[slug].name,
            user=request.user,
            account=sociallogin.consented,
            tokens=sociallogin.tokens,
        )
    except connections.OtherAccount as error:
        return _page(request, "other_account", slug, intent, error=error)
    except connections.NotAllowed:
        return _page(request, "other_person", slug)
    request.session.pop(_SAID, None)
    return redirect("integrations:setup", connection.pk)


def _accept_by_link(request: HttpRequest, link_id: str, slug: str, sociallogin) -> HttpResponse:
    """Takes the consent for whom the link is for; who is signed in at the desk in this browser does not matter."""
    try:
        link = accept_by_link(
            link_id=link_id,
            integration=BY_SLUG[slug].name,
            account=sociallogin.consented,
            tokens=sociallogin.tokens,
        )
    except LinkRefused as error:
        return refused(request, link_id, error.reason.value, error=error)
    return done(request, link)


def _page(
    request: HttpRequest,
    name: str,
    slug: str,
    intent: ConsentRequest | None = None,
    *,
    reason: str = "",
    error: connections.OtherAccount | None = None,
    link: str = "",
) -> HttpResponse:
    """Leads on to the page `name`: an address that has the vendor's code shows none. What the page says besides waits
    in the session, of who has come back from a consent of theirs alone."""
    said = {
        "page": name,
        "slug": slug,
        "intent": intent.to_state() if intent else None,
        "reason": reason,
        "error": error.told() if error else None,
        "link": link,
    }
    if said["intent"] or said["reason"]:
        request.session[_SAID] = said
    return redirect("consent_ended", slug, name)


@require_safe
def ended(request: HttpRequest, slug: str, page: str) -> HttpResponse:
    """Shows what came of a consent that has made no connection."""
    provider, said = BY_SLUG.get(slug), request.session.get(_SAID) or {}
    if provider is None or page not in _PAGES:
        raise Http404
    if (said.get("page"), said.get("slug")) != (page, slug):
        said = {}
    if page == "other_account" and not said.get("error"):
        page = "expired"
    context = {
        "provider": provider,
        "intent": ConsentRequest.from_state(said.get("intent")),
        "reason": said.get("reason", ""),
        "error": said.get("error"),
        "link": said.get("link", ""),
    }
    return render(request, f"connect/{page}.html", context, status=_PAGES[page])
