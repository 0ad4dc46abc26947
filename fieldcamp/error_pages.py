"""Pages for errors of which Django would show a bare line: each names the request, and where help is asked for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader

from fieldcamp.links import support_url


def server_error(request: HttpRequest) -> HttpResponse:
    """Answers 500. Built of the settings alone, since anything else may be what has failed."""
    return HttpResponse(loader.render_to_string("500.html", _of(request)), status=500)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers 400, without the request in the page: what is wrong with it may be its host or its session."""
    return HttpResponse(loader.render_to_string("400.html", _of(request)), status=400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answers a form that came without its token: an old page, or cookies that are blocked."""
    return render(request, "403_csrf.html", status=403)


def _of(request: HttpRequest) -> dict[str, str]:
    reference = getattr(request, "request_id", "")
    return {"support_reference": reference, "support_url": support_url(reference)}
