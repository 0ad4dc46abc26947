"""The accounting API behind /intuit/api/v3/company/<realm>.

https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features
"""

import json
import re
from collections.abc import Callable
from typing import Any

from fieldcamp.sandbox.http import BadInput, Request, Response, content_type, json_response
from fieldcamp.sandbox.intuit import batch, cdc, engine, errors, pdf, replay, reports, selection, times, xml
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.errors import Fault, GatewayFault
from fieldcamp.sandbox.intuit.limits import Limits
from fieldcamp.sandbox.intuit.registry import ENTITIES, SEGMENTS, SERVICES
from fieldcamp.sandbox.intuit.store import Store
from fieldcamp.sandbox.oauth import Grants, Token

PREFIX = "/intuit/api"
SCOPE = "com.intuit.quickbooks.accounting"
_PATH = re.compile(r"/intuit/api/v3/company/(?P<realm>[^/]+)/(?P<rest>.+?)/?", re.ASCII)

Around = Callable[[Request, Callable[[Request], Response], str], Response]


class Api:
    """Answers calls: who may, how often, what, and in which words."""

    def __init__(self, store: Store, grants: Grants, around: Around) -> None:
        self.store, self.state, self.grants, self.around = store, store.state, grants, around
        self.limits, self.replays = Limits(), replay.Replays(store.state)

    def handle(self, request: Request) -> Response:
        """The answer to one call."""
        try:
            response = self._handle(request)
        except GatewayFault as fault:
            response = fault.response(self.state.now())
        response.headers["qbo-version"] = "1900.127"
        return errors.traced(response)

    def books(self, realm: str) -> Books | None:
        """The books of that company."""
        company = self.store.company(realm)
        return Books(self.store, ENTITIES, company) if company else None

    def _handle(self, request: Request) -> Response:
        match = _PATH.fullmatch(request.path)
        if match is None:
            return self._said(request, 400, _fault(errors.unsupported(request.plain_path)), "UTC")
        token, books = self._admit(request, match["realm"])
        zone, items, writes = books.company.zone, 1, 0
        try:
            self.limits.enter(books.realm, token.client_id, self.state.now(), match["rest"] == "batch")
            if books.switch("user_is_admin", True) is False:
                text = "-11014-You do not have access to use QuickBooks Online Plus"
                raise Fault(120, "Authorization Failure", text, kind="AuthorizationFault", status=401)
            document = _document(books, request, match["rest"])
            if document is not None:
                return document
            if match["rest"] == "batch" and request.method == "POST":
                found = batch.items_of(_json(request))
                items, writes = max(len(found), 1), batch.writes_of(found)
                status, body = self._once(books, request, lambda: (200, self._batch(request, found)), found)
            else:
                status, body = self._once(books, request, lambda: self._one(books, request, match["rest"]))
        except Fault as fault:
            status, body = fault.status, _fault(fault)
        response = self._said(request, status, body, zone)
        response.items, response.writes = items, writes
        return response

    def _admit(self, request: Request, realm: str) -> tuple[Token, Books]:
        token = self.grants.lookup(request.bearer, "access")
        if token is None:
            raise errors.no_token(request.bearer)
        books = self.books(realm)
        if books is None or token.account != realm or SCOPE not in token.scopes:
            raise errors.not_authorized()
        return token, books

    def _once(
        self, books: Books, request: Request, do: Callable[[], tuple[int, Body]], items: list[Body] | None = None
    ) -> tuple[int, Body]:
        """Does it, or with a requestid that is known gives the first answer again."""
        if "requestid" not in request.query or request.method != "POST":
            return do()
        rest = "&".join(f"{name}={value}" for name, value in sorted(request.query.items()) if name != "requestid")
        ids = None if items is None else [item["bId"] for item in items]
        call = replay.call(books.realm, request.query["requestid"], f"{request.path}?{rest}", request.body, ids)
        with self.state.lock:
            known = self.replays.find(call)
            if known is not None:
                return known
            status, body = do()
            self.replays.keep(call, status, body)
        return status, body

    def _batch(self, request: Request, items: list[Body]) -> Body:
        return batch.answer(request, items, lambda part: self.around(part, self._part, request.plain_path))

    def _part(self, part: Request) -> Response:
        match = _PATH.fullmatch(part.path)
        books = self.books(match["realm"]) if match else None
        if match is None or books is None:
            raise errors.unsupported(part.plain_path)
        status, body = self._one(books, part, match["rest"])
        return json_response(body, status)

    def _one(self, books: Books, request: Request, rest: str) -> tuple[int, Body]:
        try:
            return 200, self._do(books, request, rest)
        except Fault as fault:
            return fault.status, _fault(fault)

    def _do(self, books: Books, request: Request, rest: str) -> Body:
        segment, _, tail = rest.partition("/")
        if rest == "query" and request.method in ("GET", "POST"):
            include = _included(request)
            return {"QueryResponse": selection.answer(books, _statement(request), include)}
        if rest == "cdc" and request.method == "GET":
            return cdc.answer(books, request.query.get("entities", ""), request.query.get("changedSince", ""))
        if rest in SERVICES and request.method == "POST":
            with self.state.transaction():
                return SERVICES[rest](books, _json(request))
        entity = SEGMENTS.get(segment)
        if entity is None:
            raise errors.unsupported(segment)
        if request.method == "GET" and (tail or entity.single) and "/" not in tail:
            return {entity.name: engine.read(books, entity, tail, _included(request))}
        if request.method == "POST" and not tail:
            return {entity.name: _write(books, request, segment)}
        object_id, _, action = tail.partition("/")
        if request.method == "POST" and action in entity.actions:
            with self.state.transaction():
                stored = books.get(entity.name, object_id)
                if stored is None:
                    raise errors.not_found(entity.is_list)
                return {entity.name: entity.actions[action](books, stored, request.query.to_dict())}
        raise errors.unsupported(f"{request.method} {rest}")

    def _said(self, request: Request, status: int, body: Body, zone: str) -> Response:
        body = {**body, "time": times.precise_stamp(self.state.now(), zone)}
        # Without this header the answer is XML, whatever else the client accepts.
        if "application/json" in request.headers.get("Accept", ""):
            return json_response(body, status)
        return xml.response(body, status)


def _write(books: Books, request: Request, segment: str) -> Body:
    entity, sent = SEGMENTS[segment], _json(request)
    operation, include = request.query.get("operation", ""), request.query.get("include", "")
    if operation == "void" or (operation == "update" and include == "void" and entity.void_on_update):
        return engine.void(books, entity, sent)
    if operation == "delete":
        return engine.delete(books, entity, sent)
    if operation not in ("", "create", "update"):
        raise errors.unsupported(operation)
    return engine.write(books, entity, sent, _included(request))


def _included(request: Request) -> tuple[str, ...]:
    """What an answer is to have besides, by `?include=`."""
    return tuple(name.strip() for name in request.query.get("include", "").split(",") if name.strip())


def _document(books: Books, request: Request, rest: str) -> Response | None:
    """The answer of an address that gives no object: a report or something to print."""
    segment, _, tail = rest.partition("/")
    if request.method != "GET":
        return None
    if segment == "reports":
        return json_response(reports.answer(books, tail, request.query.to_dict()))
    if tail.endswith("/pdf") and segment in SEGMENTS:
        return pdf.answer(books, SEGMENTS[segment], tail.removesuffix("/pdf"))
    return None


def _statement(request: Request) -> str:
    if request.method == "GET":
        return request.query.get("query", "")
    if content_type(request.headers)[0] not in ("application/text", "text/plain"):
        raise errors.unsupported(f"query with Content-Type {content_type(request.headers)[0] or 'missing'}")
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        raise errors.unsupported("MalformedByteSequence") from None


def _json(request: Request) -> Any:
    if content_type(request.headers)[0] != "application/json":
        raise errors.unsupported(f"Content-Type {content_type(request.headers)[0] or 'missing'}")
    try:
        request.body.decode()
    except UnicodeDecodeError:
        raise errors.unsupported("MalformedByteSequence") from None
    try:
        return json.loads(request.body) if request.body.strip().startswith(b"[") else request.json_object()
    except (BadInput, ValueError, RecursionError) as error:
        raise errors.unreadable(f"Property Name:null specified is unsupported or invalid : {error}") from None


def _fault(fault: Fault) -> Body:
    return {"Fault": fault.body()}
