"""What integrators expect of any API: misspelt parameters, headers of quotas, errors that explain themselves, and what
is said of operations that end."""

import datetime as dt
import re

import pytest
import time_machine
from django.utils.translation import get_language, override
from drf_spectacular.generators import SchemaGenerator
from rest_framework.response import Response

from fieldcamp import formats
from fieldcamp.api import deprecations, query
from fieldcamp.api.deprecations import Deprecation
from fieldcamp.api.docs import document
from fieldcamp.api.error_codes import ERRORS
from fieldcamp.api.views import ApiView
from tests.conftest import api_client

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 8, 0, 10, tzinfo=dt.UTC)


def reads() -> list[tuple[str, list[dict]]]:
    """Every GET of the published document without a parameter in its path, with its query parameters."""
    found = []
    for path, item in document()[0]["paths"].items():
        if "get" in item and "{" not in path:
            listed = [each for each in item["get"].get("parameters", []) if each["in"] == "query"]
            found.append((path, listed))
    return found


class SpokenView(ApiView):
    """Answers with the language that it is in."""

    authentication_classes = []
    permission_classes = []

    def get(self, request):
        return Response(get_language())


def test_it_is_english_whatever_else_is_spoken(rf):
    with override("de"):
        assert SpokenView.as_view()(rf.get("/")).data == "en" and get_language() == "de"


class PricedView(ApiView):
    """Answers with an amount as a sentence says it."""

    required_scopes = {"GET": "visits:read"}

    def get(self, request):
        return Response(formats.money("90"))


def test_amounts_in_sentences_are_in_the_callers_currency(rf, workspace, api_key):
    workspace.currency = "CHF"
    workspace.save(update_fields=["currency"])
    headers = {"HTTP_AUTHORIZATION": f"Bearer {api_key()}"}
    assert formats.money("90") == "$90.00"
    assert PricedView.as_view()(rf.get("/", **headers)).data == "CHF 90.00"
    assert formats.money("90") == "$90.00"  # and the next caller's in theirs


class TestQueryParameters:
    @pytest.mark.slow
    def test_each_read_refuses_what_the_reference_does_not_list(self, api):
        assert len(reads()) > 12
        for path, listed in reads():
            refused = api.get(path, {"nonsense": "x"})
            assert refused.status_code == 400, path
            error = refused.json()["error"]
            assert error["details"].keys() == {"nonsense"} and error["param"] == "nonsense"
            for each in listed:
                once = api.get(path, {each["name"]: "1"}).json()
                assert "no such parameter" not in str(once), (path, each["name"])

    def test_a_misspelt_name_is_told_the_right_one(self, api):
        for given, meant in (("clientid", "clientId"), ("client_id", "clientId"), ("curser", "cursor")):
            [sentence] = api.get("/api/v1/visits", {given: "x"}).json()["error"]["details"][given]
            assert sentence.endswith(f"Did you mean {meant}?")

    def test_a_parameter_that_takes_one_value_is_given_once(self, api):
        refused = api.get("/api/v1/visits?limit=1&limit=2")
        assert refused.status_code == 400 and refused.json()["error"]["details"].keys() == {"limit"}
        assert api.get("/api/v1/visits?visitStatus=scheduled&visitStatus=completed").status_code == 200

    def test_a_write_with_a_flag_that_it_does_not_have_is_not_done(self, api):
        client = api.post("/api/v1/clients", {"firstName": "Ada"}, format="json").json()["data"]["id"]
        for method in ("post", "put", "patch", "delete"):
            path = "/api/v1/clients" if method == "post" else f"/api/v1/clients/{client}"
            refused = getattr(api, method)(f"{path}?dryRun=true", {"firstName": "Eve"}, format="json")
            assert refused.status_code == 400 and refused.json()["error"]["param"] == "dryRun", method
        assert [each["firstName"] for each in api.get("/api/v1/clients").json()["data"]] == ["Ada"]

    def test_the_documents_format_is_json(self, api):
        assert api.get("/api/v1/schema?format=json").json()["openapi"].startswith("3.")
        assert api.get("/api/v1/schema?format=yaml").json()["error"]["param"] == "format"

    def test_a_view_that_the_reference_does_not_describe_has_none(self):
        assert query.query_parameters(type("Bare", (), {}), "GET") == {}


class TestQuotaHeaders:
    def test_all_windows_are_told_at_once(self, workspace, api_key):
        workspace.daily_request_limit = 10_000
        workspace.save()
        client = api_client(api_key(rate_limit_override=2))
        with time_machine.travel(NOW, tick=False):
            first = client.get("/api/v1/team")
            assert first["RateLimit-Policy"] == '"minute";q=2;w=60, "day";q=10000;w=86400'
            assert first["RateLimit"] == '"minute";r=1;t=50, "day";r=9999;t=57590'
            client.get("/api/v1/team")
            refused = client.get("/api/v1/team")
        assert refused.status_code == 429 and refused["RateLimit"].startswith('"minute";r=0;t=50')

    def test_without_a_key_there_is_no_quota(self):
        assert "RateLimit" not in api_client().get("/api/v1/team")


class TestErrors:
    def test_each_code_is_explained_where_doc_url_leads(self, settings):
        page = api_client().get("/api/docs/errors").content.decode()
        for code in ERRORS:
            assert page.count(f'id="{code}"') == 1
        error = api_client().get("/api/v1/visits").json()["error"]
        assert error["doc_url"] == f"{settings.PUBLIC_URL}/api/docs/errors#UNAUTHORIZED" and "param" not in error

    def test_the_first_wrong_field_is_named_as_details_has_it(self, api):
        body = {"firstName": "Ada", "phoneNumber": {"number": 5}}
        error = api.post("/api/v1/clients", body, format="json").json()["error"]
        assert error["param"] == next(iter(error["details"])) and "." in error["param"]

    @pytest.mark.parametrize("accept", ["application/json, application/problem+json", "application/problem+json"])
    def test_who_asks_for_problem_details_gets_them(self, api, accept):
        for path, status in (("/api/v1/visits/vis_none", 404), ("/api/v1/nowhere", 404), ("/api/v1/visits?x=1", 400)):
            response = api.get(path, HTTP_ACCEPT=accept)
            problem = response.json()
            assert response["Content-Type"] == "application/problem+json" and problem["status"] == response.status_code
            assert problem["type"].endswith(f"#{problem['code']}") and problem["title"] and problem["detail"]
            assert problem["request_id"] == response["X-Request-Id"] and response.status_code == status
        done = api.get("/api/v1/team", HTTP_ACCEPT=accept)
        assert done.status_code == 200 and done["Content-Type"] == "application/json"

    def test_who_does_not_ask_gets_the_envelope(self, api):
        for accept in ("application/json", "*/*", "application/problem+json;q=0, application/json"):
            response = api.get("/api/v1/nowhere", HTTP_ACCEPT=accept)
            assert response["Content-Type"] == "application/json" and response.json()["success"] is False


class TestDeprecation:
    @pytest.fixture
    def entry(self, monkeypatch):
        end = NOW + dt.timedelta(days=400)
        made = Deprecation("GET", "/visits/{record_id}", NOW, end, "GET /visits", "unreleased")
        monkeypatch.setattr(deprecations, "DEPRECATIONS", (made,))
        return made

    def test_what_ends_says_so_and_nothing_else_does(self, api, entry):
        told = api.get("/api/v1/visits/vis_none")
        assert told["Deprecation"] == f"@{int(NOW.timestamp())}" and told["Sunset"] == "Mon, 27 Dec 2027 08:00:10 GMT"
        assert re.fullmatch(
            r'<http\S+/api/docs/changelog#unreleased>; rel="deprecation"; type="text/html"', told["Link"]
        )
        for other in (api.get("/api/v1/visits"), api.delete("/api/v1/visits/vis_none")):
            assert "Deprecation" not in other and "Sunset" not in other

    @pytest.mark.slow
    def test_the_document_marks_it(self, entry):
        paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
        assert paths["/api/v1/visits/{record_id}"]["get"]["deprecated"] is True
        assert "deprecated" not in paths["/api/v1/visits"]["get"]

    def test_each_entry_is_in_the_changelog_and_lives_a_year(self):
        changelog = api_client().get("/api/docs/changelog").content.decode()
        for each in deprecations.DEPRECATIONS:
            assert each.path in changelog and each.sunset - each.since >= dt.timedelta(days=365)
