"""Who decides what is decided through the API."""

from rest_framework.request import Request

from fieldcamp.api.authentication import caller
from fieldcamp.api.services import signature
from integrations.accounts.acting import KeyActor


def key_actor(request: Request) -> KeyActor:
    """Returns the key that makes the request; jobs that it starts have the request's id."""
    return KeyActor(signature(caller(request)), getattr(request, "request_id", ""))
