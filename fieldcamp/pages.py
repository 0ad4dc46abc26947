"""Middleware that pages for people need, most of it nothing else; what the API answers is no page. Together a tenth of
a call's time."""

from collections.abc import Callable
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.middleware.gzip import GZipMiddleware

from integrations.transport.patience import PAGE_SECONDS, within

_API = "/api/v1/"
_NO_PAGES = (_API, "/push/")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# What is no page loads nothing and stands in no frame, whatever a browser takes it for.
_NOTHING = "default-src 'none'; frame-ancestors 'none'"


class PageMessages(MessageMiddleware):
    """Messages over the next page: a call of the API has none."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if request.path_info.startswith(_API) else super().__call__(request)


class KnownMethods:
    """Refuses methods that no page has, TRACE before all, also where a page would lead to the login first. The API
    refuses them in its own manner."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in _METHODS and not request.path_info.startswith(_API):
            return HttpResponseNotAllowed(_METHODS)
        return self.get_response(request)


class CompressedPages(GZipMiddleware):
    """Pages go over the wire compressed, with Django's padding of random length against BREACH. What the API answers
    has an ETag that is compared byte by byte, so it stays as it is."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path_info.startswith(_NO_PAGES):
            return response
        return super().process_response(request, response)


class Patience:
    """Whoever waits for an answer waits a few seconds for vendors and no longer, whatever the view asks of them: a slow
    vendor must not hold the workers that everybody else waits for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with within(PAGE_SECONDS):
            return self.get_response(request)


class MessageCookie(CookieStorage):
    """Bears the same kind of name as the session's cookie."""

    cookie_name = f"{settings.COOKIE_PREFIX}messages"


class PageMessageStorage(FallbackStorage):
    """Messages in a cookie, and what has no room there in the session."""

    storage_classes = (MessageCookie, SessionStorage)


class PagePolicy(CSPMiddleware):
    """The pages' Content-Security-Policy (settings), and for what is no page one that allows nothing."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path_info.startswith(_NO_PAGES):
            response[HEADER] = _NOTHING
            return response
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Leaves `form-action` out for who is signed in: any of their pages may have a button that leads to a vendor's
        consent, browsers hold every redirect that follows to that rule, and nobody can list a vendor's hosts."""
        parts = super().get_policy_parts(request, response, report_only)
        if response.get("Cache-Control", "").startswith("public"):
            return parts  # the same for everybody, whoever asks
        if hasattr(request, "user") and request.user.is_authenticated:
            parts.replace = {**(parts.replace or {}), "form-action": None}
        return parts
