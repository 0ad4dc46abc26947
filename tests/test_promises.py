"""What the reference promises of each POST, each error and each list, tried on every operation that it publishes: a new
route is covered by itself."""

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import transaction
from rest_framework.test import APIClient

from fieldcamp.api.docs import document
from fieldcamp.api.error_codes import ERRORS
from fieldcamp.api.models import IdempotencyRecord
from integrations.providers import PROVIDERS
from tests.conftest import api_client
from tests.integrations import build
from tests.integrations.admin.conftest import Company, company
from tests.promised import READY

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "put", "patch", "delete")
_ID = re.compile(r"([a-z]{3})_[0-9A-Z]{26}")
SOME_SCOPES = ("team:read", "webhooks:read")
NOWHERE = "zzz_01HZX2Q8YV3D1G0N3WJ2P7K9MC"


def operations(*methods: str) -> Iterator[tuple[str, str, dict]]:
    for path, item in document()[0]["paths"].items():
        for method in methods or METHODS:
            if method in item:
                yield method, path, item[method]


def somewhere(path: str) -> str:
    return re.sub(r"{\w+}", NOWHERE, path)


def examples(operation: dict) -> list[Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return [each["value"] for each in content.get("examples", {}).values()]


def documented(operation: dict, status: int) -> set[str]:
    """The codes that the reference has for this status of the operation."""
    response = operation["responses"].get(str(status), {})
    return set(response.get("content", {}).get("application/json", {}).get("examples", {}))


def assert_error(response, status: int, code: str, operation: dict, where: str) -> dict:
    assert response.status_code == status, f"{where}: {response.content[:300]}"
    body = response.json()
    assert body["success"] is False and body["meta"]["request_id"] == response["X-Request-Id"], where
    assert body["error"]["code"] == code and code in documented(operation, status), where
    return body["error"]


@pytest.mark.slow
@pytest.mark.once
def test_each_operation_answers_errors_in_the_envelope_and_as_the_reference_says(api, api_key):
    stranger, reader, watcher = (api_client(), *(api_client(api_key(scopes=[each])) for each in SOME_SCOPES))
    for method, path, operation in operations():
        where, there = f"{method} {path}", somewhere(path)
        refused = assert_error(getattr(stranger, method)(there), 401, "UNAUTHORIZED", operation, where)
        assert refused["doc_url"].endswith("#UNAUTHORIZED")
        scope = re.search(r"Scope: `([\w:]+)`", operation["description"])[1]
        without = watcher if scope == SOME_SCOPES[0] else reader
        refused = assert_error(getattr(without, method)(there), 403, "INSUFFICIENT_SCOPE", operation, where)
        assert refused["details"]["required_scope"] == scope, where
        no_json = getattr(api, method)(there, HTTP_ACCEPT="text/html")
        assert_error(no_json, 406, "NOT_ACCEPTABLE", operation, where)
        if "{" in path:
            bodies = examples(operation) or [{}]
            answers = [getattr(api, method)(there, body, format="json") for body in bodies]
            if method in ("get", "delete"):
                answers = [getattr(api, method)(there)]
            for answer in answers:
                assert_error(answer, 404, "NOT_FOUND", operation, where)
        if method in ("post", "put", "patch"):
            broken = api.generic(method.upper(), there, b"{", content_type="application/json")
            if broken.status_code != 404:
                assert_error(broken, 400, "VALIDATION_ERROR", operation, where)
            xml = api.generic(method.upper(), there, b"<a/>", content_type="text/xml")
            if xml.status_code != 404:
                assert_error(xml, 415, "UNSUPPORTED_MEDIA_TYPE", operation, where)


def test_each_error_of_the_reference_leads_to_where_it_is_explained():
    page = api_client().get("/api/docs/errors").content.decode()
    for method, path, operation in operations():
        for status, response in operation["responses"].items():
            if status[0] in "45":
                links = re.findall(r"\[`(\w+)`\]\(/api/docs/errors#(\w+)\)", response["description"])
                assert {code for code, _ in links} == documented(operation, int(status)), f"{method} {path}"
                for code, anchor in links:
                    assert code == anchor and f'id="{anchor}"' in page and ERRORS[code].status == int(status)


def needs_more(operation: dict) -> bool:
    return any(each.get("required") for each in operation.get("parameters", []))


def test_each_list_refuses_what_is_no_page_of_it(api):
    # What has to be given anyway is asked for first.
    lists = [(path, each) for _, path, each in operations("get") if "{" not in path and not needs_more(each)]
    paged = 0
    for path, operation in lists:
        names = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
        for name, value, code in (
            ("limit", "0", "VALIDATION_ERROR"),
            ("limit", "201", "VALIDATION_ERROR"),
            ("cursor", "of no list", "INVALID_CURSOR"),
            ("since", "yesterday", "VALIDATION_ERROR"),
        ):
            if name in names:
                paged += 1
                error = assert_error(api.get(path, {name: value}), 400, code, operation, f"{path} {name}")
                assert code == "INVALID_CURSOR" or name in error["details"], path
    assert paged > 30


def test_each_post_takes_an_idempotency_key_and_refuses_a_malformed_one(api):
    for method, path, operation in operations("post"):
        headers = [each["name"] for each in operation["parameters"] if each["in"] == "header"]
        assert "Idempotency-Key" in headers, path
        for body in examples(operation) or [{}]:
            answer = getattr(api, method)(somewhere(path), body, format="json", HTTP_IDEMPOTENCY_KEY="k" * 300)
            error = assert_error(answer, 400, "VALIDATION_ERROR", operation, path)
            assert error["details"].keys() == {"Idempotency-Key"}, path
    assert not IdempotencyRecord.objects.exists()


# What cannot be done here, by the operation's id, and why: nothing. What one needs to be done is in tests/promised.py.
NOT_DONE: dict[str, str] = {}


@pytest.mark.slow
@pytest.mark.once
@time_machine.travel(dt.datetime(2026, 5, 29, tzinfo=dt.UTC))  # the day of the examples
def test_each_post_is_done_once_for_each_key(api_key, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True
    ours = company("Ours")
    for integration in set(PROVIDERS) - {"google_calendar"}:
        build.connection(ours.workspace, integration=integration)
    caller = api_client(api_key(workspace=ours.workspace))
    named, done = set(), set()
    for _, path, operation in operations("post"):
        named.add(operation["operationId"])
        with transaction.atomic():  # each finds the company as it was
            if is_done_once(caller, path, operation, Company(**vars(ours))):
                done.add(operation["operationId"])
            transaction.set_rollback(True)
    assert done == named - NOT_DONE.keys(), f"Not done, or done after all: {sorted(named - NOT_DONE.keys() ^ done)}"
    assert NOT_DONE.keys() <= named


def is_done_once(caller: APIClient, path: str, operation: dict, ours: Company) -> bool:
    """Returns whether the operation does something with what there is; asserts that it does so once for each key."""
    name = operation["operationId"]
    made = READY[name](ours) if name in READY else None
    bodies = [made] if made else [{}, *(owned(each, ours) for each in examples(operation))]
    unknown: set[str] = set()
    for number, (there, body) in enumerate(itertools.product(filled(path, ours), bodies)):
        if there in unknown:
            continue
        sent = {"format": "json", "HTTP_IDEMPOTENCY_KEY": f"{name} {number}"}
        first = caller.post(there, body, **sent)
        assert first.status_code < 500, f"{there}: {first.content[:300]}"
        if first.status_code == 404:
            unknown.add(there)
        if first.status_code < 300:
            again = caller.post(there, body, **sent)
            assert again.content == without_secret(first.content), there
            assert (again.status_code, again["Idempotent-Replayed"]) == (first.status_code, "true"), there
            other = caller.post(there, {"nonsense": number}, **sent)
            assert other.status_code in (400, 422), there
            return True
    return False


def ids_of(rows: Company) -> list[str]:
    return [pk for row in vars(rows).values() if "_" in (pk := str(getattr(row, "pk", "")))]


def filled(path: str, rows: Company) -> list[str]:
    """The address with each of these rows' ids in each of its places, the likeliest first."""
    fixed = re.split(r"{\w+}", path)
    places = [
        sorted(ids_of(rows), key=lambda pk: not is_short_for(pk[:3], before.split("/")[-2])) for before in fixed[:-1]
    ]
    return ["".join(itertools.chain(*zip(fixed, [*pks, ""], strict=True))) for pks in itertools.product(*places)]


def is_short_for(prefix: str, word: str) -> bool:
    """Returns whether the word has the prefix's letters in this order, as "webhooks" has those of "whk"."""
    letters = iter(word)
    return all(letter in letters for letter in prefix)


def owned(value: Any, rows: Company) -> Any:
    """The example with ids of this company's own records in place of the made-up ones."""
    if isinstance(value, dict):
        return {name: owned(inner, rows) for name, inner in value.items()}
    if isinstance(value, list):
        return [owned(inner, rows) for inner in value]
    if isinstance(value, str) and (found := _ID.fullmatch(value)):
        return next((pk for pk in ids_of(rows) if pk.startswith(f"{found[1]}_")), value)
    return value


SECRETS = (rb'"(?:secret|key)":"fc_live_[^"]+"', rb'"secret":"[^"]+"', rb'"url":"[^"]+/link/[^"]+"')


def without_secret(content: bytes) -> bytes:
    """A replay shows no secret, nor the address of a connect link, which is one."""
    for secret in SECRETS:
        content = re.sub(secret, lambda found: found[0].split(b":")[0] + b":null", content)
    return content
