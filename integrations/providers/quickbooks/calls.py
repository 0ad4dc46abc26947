"""One company's API: reads, queries and posts, with the faults that hide in answers of 200."""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from integrations import errors
from integrations.paging import Turns
from integrations.providers.base import Http
from integrations.providers.quickbooks import addresses
from integrations.providers.quickbooks.errors import fault_in, fault_of, token_ended, trace_of
from integrations.transport.answers import json_object
from integrations.transport.meter import Metered

# Without it QuickBooks answers in XML.
HEADERS = {"Accept": "application/json"}
# QuickBooks works on one request for up to 120 s, and on a large batch it does.
# https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features#limits-and-throttles
PATIENCE = 125.0
# What an answer has, by what was asked.
SAID = {"query": ("QueryResponse", dict), "cdc": ("CDCResponse", list), "preferences": ("Preferences", dict)}


class Calls:
    def __init__(self, http: Http, realm_id: str):
        if not addresses.is_company(realm_id):
            raise errors.NeedsReconnect("It is not known which company this is. Reconnect it.")
        self.http, self.realm_id = http, realm_id
        self.trace = ""  # Intuit's name of the last exchange

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """Returns what a read is answered with; what is no answer to it (`SAID`) counts as lost."""
        url = addresses.company(self.realm_id, path, **params)

        def whole(response: requests.Response) -> None:
            body, (name, shape) = json_object(response), SAID.get(path, ("", object))
            if name and not isinstance(body.get(name), shape) and fault_of(body) is None:
                raise errors.Unavailable("QuickBooks' answer was not what it should be.", detail=f"No {name}.")

        # Intuit bills reads, queries and what changed (CorePlus), and gives writes for free (Core).
        return self._body(
            self.http.request("GET", url, headers=HEADERS, rejects_token=token_ended, metered=Metered.YES, whole=whole)
        )

    def post(
        self,
        path: str,
        body: dict[str, Any],
        request_id: str,
        *,
        cost: int = 1,
        params: Mapping[str, str] | None = None,
        metered: Metered = Metered.NO,
    ) -> dict[str, Any]:
        """Sends a write, and waits for it as long as QuickBooks may take.

        QuickBooks carries one request id out once, and answers again what it answered: so it may be sent twice.
        https://developer.intuit.com/app/developer/qbo/docs/learn/learn-basic-field-definitions#request-id"""
        url = addresses.company(self.realm_id, path, **(params or {}), requestid=request_id)
        return self._body(
            self.http.request(
                "POST",
                url,
                json=body,
                headers=HEADERS,
                cost=cost,
                counted=1,
                retry_safe=True,
                whole=json_object,
                rejects_token=token_ended,
                patience=PATIENCE,
                metered=metered,
            )
        )

    def query(self, statement: str) -> dict[str, Any]:
        """Returns a query's whole answer; its rows are `rows(answer, entity)`."""
        return self.get("query", query=statement)

    def select(self, entity: str, *conditions: str) -> list[dict[str, Any]]:
        """Returns all rows of a query that are few: page by page, by their position."""
        found: list[dict[str, Any]] = []
        turns = Turns()
        while True:
            statement = addresses.select(entity, *conditions, start=len(found) + 1)
            page = rows(self.query(statement), entity)
            found += page
            if len(page) < addresses.PAGE:
                return found
            turns.take([str(row["Id"]) for row in page], str(len(found)))

    def _body(self, response: requests.Response) -> dict[str, Any]:
        self.trace = trace_of(response)
        body = json_object(response)
        if error := fault_in(response, body):
            if isinstance(error, errors.RateLimited):
                self.http.slow_down()
            raise error
        return body


def rows(answer: dict[str, Any], entity: str) -> list[dict[str, Any]]:
    """Returns the rows of a query's answer; one without a match comes without the entity's name."""
    found = answer.get("QueryResponse")
    listed = found.get(entity, []) if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise errors.Unavailable("QuickBooks' answer was not what it should be.")
    return [row for row in listed if isinstance(row, dict) and row.get("Id")]


def request_id(company: str, body: Any, keys: Sequence[str]) -> str:
    """Returns an id that is the same for the same request, whoever sends it: a request that was sent twice is carried
    out once."""
    content = json.dumps([company, body, list(keys)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def fresh_request_id() -> str:
    """Returns an id that was never sent: what QuickBooks has refused it would refuse again without looking."""
    return uuid.uuid4().hex
