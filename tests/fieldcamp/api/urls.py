"""Addresses for tests of what the API does around any view."""

from typing import Any

from django.http import HttpResponse
from django.urls import path

from fieldcamp.api.idempotency import IdempotentAnswer, canonical, replay_or_run
from fieldcamp.api.views import ApiView, ok
from fieldcamp.workspace.models import Client


class Raises(ApiView):
    """Raises whatever the test has put here."""

    error: Exception

    def get(self, request):
        raise type(self).error


class Echo(ApiView):
    def post(self, request):
        return ok(request, request.data)


class Open(ApiView):
    authentication_classes: Any = []

    def get(self, request):
        return ok(request, "open")


class Once(ApiView):
    """Creates a client; the tests set what happens on the way."""

    before = staticmethod(lambda: None)
    during = staticmethod(lambda: None)
    status = 201

    def post(self, request):
        def run() -> IdempotentAnswer:
            client = Client.objects.create(workspace=self.workspace, first_name="Once")
            type(self).during()
            return IdempotentAnswer(
                type(self).status, {"id": client.pk, "text": "é"}, {"Location": f"/clients/{client.pk}"}
            )

        return replay_or_run(
            request, fingerprint_body=canonical(request.data), run=run, before=lambda: type(self).before()
        )

    put = post


def plain(request):
    raise Raises.error


def bad_request(request, exception):
    """In the place of the product's page, whose links this list does not have."""
    return HttpResponse("bad request", status=400)


urlpatterns = [
    path("api/v1/raises", Raises.as_view()),
    path("api/v1/echo", Echo.as_view()),
    path("api/v1/open", Open.as_view()),
    path("api/v1/once", Once.as_view()),
    path("api/v1/twice", Once.as_view()),
    path("api/plain", plain),
    path("api/html", lambda request: HttpResponse("<p>docs</p>")),
    path("elsewhere", lambda request: HttpResponse("hello")),
]
handler400 = "tests.fieldcamp.api.urls.bad_request"
