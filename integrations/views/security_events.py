"""Where vendors send event tokens (https://www.rfc-editor.org/rfc/rfc8935). Nobody signs in: the token's signature is
what is believed.

No content type is asked for: it adds nothing to a signature, and an event that is refused for it would be lost.
"""

import structlog
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from fieldcamp.signin import throttle
from fieldcamp.signin.addresses import client_address
from integrations.errors import ProviderError
from integrations.providers import BY_SLUG
from integrations.providers.security_events import LONGEST_TOKEN, EventRefused
from integrations.services.security_events import receive

log = structlog.get_logger(__name__)

A_MINUTE = 600  # from one address; a vendor that tells of more comes again
TRY_AGAIN = 60  # seconds


@csrf_exempt
@require_POST
def receive_event(request: HttpRequest, slug: str) -> HttpResponse:
    """Answers 202 to a token that is believed, whomever it is about and however often it comes, 400 to any other, 429
    to too many, and 503 while the vendor's keys cannot be had: the vendor delivers it again then."""
    provider = BY_SLUG.get(slug)
    if provider is None or provider.security_events is None or not provider.security_events.audiences():
        raise Http404
    try:
        throttle.calls("security-event", client_address(request), A_MINUTE)
        receive(provider, _body(request))
    except EventRefused as refused:
        log.warning("security_event_refused", integration=provider.name, err=refused.code, why=str(refused))
        response: HttpResponse = JsonResponse({"err": refused.code, "description": str(refused)}, status=400)
        response["Content-Language"] = "en"
    except throttle.Throttled as too_many:
        response = HttpResponse(status=429, headers={"Retry-After": str(too_many.wait)})
    except ProviderError as error:
        log.warning("security_event_put_off", integration=provider.name, error=type(error).__name__, why=str(error))
        response = HttpResponse(status=503, headers={"Retry-After": str(TRY_AGAIN)})
    else:
        response = HttpResponse(status=202)
    response["Cache-Control"] = "no-store"
    return response


def _body(request: HttpRequest) -> bytes:
    """Returns the body, of which no more is read than can be a token; nothing of one that has not arrived whole."""
    try:
        return request.read(LONGEST_TOKEN + 1)
    except OSError:
        return b""
