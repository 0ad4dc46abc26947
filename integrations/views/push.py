"""Where vendors post that something has changed. Nobody signs in: each item has to prove itself (`push.receiving`).

Any content type is taken, whoever asks for a handshake gets one, and an answer tells nothing of what is known here: a
post that is not believed is answered as one that is. What cannot be stored in time is 503, and comes again.
"""

from urllib.parse import parse_qsl

import structlog
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from fieldcamp.api.bodies import is_chunked, read_chunked
from fieldcamp.signin.addresses import client_address
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.providers.push import NotBelieved, PostedPush
from integrations.push.floods import MINUTE, FailedPosts
from integrations.push.receiving import receive

log = structlog.get_logger(__name__)

LONGEST_BODY = 1024 * 1024  # bytes
# Of a hundred items of any vendor's. Longer ones are not even read where too much has come that was not believed.
USUAL_BODY = 128 * 1024  # bytes
LONGEST_CHALLENGE = 2048  # bytes
MOST_FIELDS = 50  # of a query
TRY_AGAIN = 10  # seconds
FAILED = FailedPosts()


class _TooLong(Exception):
    """The body has more bytes than any vendor sends."""


@csrf_exempt
def receive_push(request: HttpRequest, address: str) -> HttpResponse:
    """Answers a handshake with what it wants back, any other post with the vendor's status for "taken", 403 where its
    signature is wrong, 413 above 1 MiB, 429 for too many that are not believed, 503 where it could not be stored."""
    response = _answer(request, _provider_at(address))
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


def _provider_at(address: str) -> Provider | None:
    pushing = (provider for provider in PROVIDERS.values() if provider.push and provider.push.address == address)
    return next((provider for provider in pushing if provider.push and provider.push.usable()), None)


def _answer(request: HttpRequest, provider: Provider | None) -> HttpResponse:
    if provider is None or provider.push is None:
        return HttpResponse(status=404, content_type="text/plain")
    if request.method != "POST":
        return HttpResponse(status=405, content_type="text/plain", headers={"Allow": "POST"})
    if _length(request) > USUAL_BODY and FAILED.were_too_many(client_address(request)):
        return _too_many()
    try:
        posted = PostedPush(
            {name.lower(): value for name, value in request.headers.items()}, _query(request), _body(request)
        )
    except _TooLong:
        return HttpResponse(status=413, content_type="text/plain")
    challenge = provider.push.challenge(posted)
    if challenge is not None:
        if len(challenge) > LONGEST_CHALLENGE:
            return HttpResponse(status=400, content_type="text/plain")
        return HttpResponse(challenge.encode("latin-1"), content_type="text/plain")
    return _take(request, provider, posted, provider.push.taken)


def _take(request: HttpRequest, provider: Provider, posted: PostedPush, status: int) -> HttpResponse:
    try:
        taken = receive(provider, posted, timezone.now())
    except NotBelieved:
        return _failed(request, provider, 403)
    except Error as error:
        log.warning("push_put_off", integration=provider.name, error=type(error).__name__)
        return HttpResponse(status=503, content_type="text/plain", headers={"Retry-After": str(TRY_AGAIN)})
    if not taken.believed and not taken.signed:
        return _failed(request, provider, status)
    log.info("push_received", integration=provider.name, items=taken.items, believed=taken.believed)
    return HttpResponse(status=status, content_type="text/plain")


def _failed(request: HttpRequest, provider: Provider, status: int) -> HttpResponse:
    """Answers what is not believed: as what is, until there is too much of it from there."""
    if FAILED.too_many(client_address(request)):
        return _too_many()
    log.info("push_not_believed", integration=provider.name)
    return HttpResponse(status=status, content_type="text/plain")


def _too_many() -> HttpResponse:
    return HttpResponse(status=429, content_type="text/plain", headers={"Retry-After": str(int(MINUTE))})


def _query(request: HttpRequest) -> dict[str, str]:
    """Returns the query, a character for each of its bytes: a handshake is answered with the very bytes that came.
    One of more fields than any vendor sends says nothing."""
    query = request.META.get("QUERY_STRING", "")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, encoding="latin-1", max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def _length(request: HttpRequest) -> int:
    """Returns how long the body says that it is; one that does not say so counts as a long one."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0) or (
            LONGEST_BODY if request.META.get("HTTP_TRANSFER_ENCODING") else 0
        )
    except ValueError:
        return 0


def _body(request: HttpRequest) -> bytes:
    """Returns the body, of which no more is read than is taken; nothing of one that has not arrived whole."""
    meta = request.META
    try:
        if int(meta.get("CONTENT_LENGTH") or 0) > LONGEST_BODY:
            raise _TooLong
        most = LONGEST_BODY + 1
        body: bytes = read_chunked(meta, most) if is_chunked(meta) else request.read(most)
    except ValueError:
        return b""
    except OSError:
        return b""
    if len(body) > LONGEST_BODY:
        raise _TooLong
    return body
