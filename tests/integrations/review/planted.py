"""A gap on order: the outermost middleware, which lets a test spoil what the product answers."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

Spoiler = Callable[[HttpRequest, Callable[[HttpRequest], HttpResponse]], HttpResponse]
NAME = f"{__name__}.Planted"
_spoilers: list[Spoiler] = []


class Planted:
    """Hands each request to the spoiler that was ordered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not _spoilers:
            return self.get_response(request)
        request.META.pop("HTTP_ACCEPT_ENCODING", None)  # what is spoilt in words may not be compressed
        return _spoilers[-1](request, self.get_response)


def order(spoiler: Spoiler | None) -> None:
    """From now on answers are spoilt so; None ends it."""
    _spoilers[:] = [spoiler] if spoiler else []


def without_header(name: str, path: str = "/") -> Spoiler:
    def spoil(request, answer):
        response = answer(request)
        if request.path.startswith(path) and name in response:
            del response[name]
        return response

    return spoil


def replaced(old: str, new: str, path: str = "/") -> Spoiler:
    def spoil(request, answer):
        response = answer(request)
        if request.path.startswith(path) and not response.streaming:
            response.content = response.content.replace(old.encode(), new.encode())
            response["Content-Length"] = str(len(response.content))
        return response

    return spoil


def behind_login(path: str) -> Spoiler:
    def spoil(request, answer):
        return HttpResponseRedirect("/admin/login/") if request.path.startswith(path) else answer(request)

    return spoil


def traced(request, answer):
    if request.method == "TRACE":
        return HttpResponse(str(dict(request.headers)), content_type="message/http")
    return answer(request)


def led_anywhere(request, answer):
    response = answer(request)
    if request.path == "/admin/login/" and response.status_code == 302:
        response["Location"] = request.POST.get("next", "/")
    return response


def other_location(old: str, new: str) -> Spoiler:
    def spoil(request, answer):
        response = answer(request)
        if old in response.get("Location", ""):
            response["Location"] = response["Location"].replace(old, new)
        return response

    return spoil


def open_to_all(request, answer):
    """A record is answered with 200 to whoever asks."""
    response = answer(request)
    return HttpResponse("{}") if request.path.startswith("/api/v1/clients/") else response


def with_page(request, answer):
    """The way back from a consent shows a page."""
    response = answer(request)
    return HttpResponse("A page") if "/ended/" in response.get("Location", "") else response
