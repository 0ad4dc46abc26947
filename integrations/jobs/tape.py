"""An account's answers in one dry run: each question is asked once, and while no transaction is open."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from integrations.errors import ProviderError, Subject
from integrations.paging import getting_on
from integrations.providers.base import BooksClient, ProviderClient
from integrations.records import (
    Company,
    Container,
    Fields,
    Operation,
    Page,
    RemoteRecord,
    Window,
    WriteResult,
    digest,
)
from integrations.sync.isolation import RunEnds

MOST_RECORDS = 50_000  # of one listing: they are all in memory at once


class Unanswered(RunEnds):
    """The provider has to be asked something before it is known what a sync would do."""


class TooMuch(Exception):
    """There is more to be planned than is planned at once."""


class Tape:
    """A `ProviderClient` whose reads are answered from what was asked before, and whose writes are answered by `writer`
    and sent nowhere. A read that nobody has asked yet raises Unanswered, and is asked by `ask`."""

    def __init__(self, remote: ProviderClient):
        self._remote = remote
        self._answers: dict[tuple[str, ...], Any] = {}
        self._records: dict[tuple[str, str], RemoteRecord | None] = {}
        self._question: Callable[[], None] | None = None
        self.writer: Callable[[Sequence[Operation]], list[WriteResult]] = lambda _operations: []

    def ask(self) -> None:
        """Asks what was last found unanswered. Raises what says that the account cannot be read at all now; what is
        said of one calendar or record is an answer."""
        question, self._question = self._question, None
        if question is not None:
            question()

    def containers(self, about: str = "") -> list[Container]:
        return list(self._answered(("containers", about), lambda: self._remote.containers(about)))

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]:
        pages, error = self._answered(
            ("changes", container_id, cursor), lambda: self._listed(container_id, cursor, window)
        )
        yield from pages
        if error is not None:
            raise error

    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]:
        if sent is not None:  # which of them are ours is told by what was sent
            key = ("get", container_id, *ids, digest(sent))
            return dict(self._answered(key, lambda: self._remote.get(container_id, ids, sent)))
        if missing := [id for id in ids if (container_id, id) not in self._records]:
            self._put(lambda: self._look(container_id, missing))
        found = {id: self._records[container_id, id] for id in ids}
        return {id: record for id, record in found.items() if record is not None}

    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]:
        return self.writer(operations)

    def want(self, container_id: str) -> None:
        cast(BooksClient, self._remote).want(container_id)

    def company(self) -> Company:
        return cast(Company, self._answered(("company",), lambda: cast(BooksClient, self._remote).company()))

    def _answered(self, key: tuple[str, ...], question: Callable[[], Any]) -> Any:
        if key not in self._answers:
            self._put(lambda: self._answers.update({key: _answer(question)}))
        answer = self._answers[key]
        if isinstance(answer, ProviderError):
            raise answer
        return answer

    def _put(self, question: Callable[[], None]) -> None:
        self._question = question
        raise Unanswered

    def _look(self, container_id: str, ids: Sequence[str]) -> None:
        found = self._remote.get(container_id, ids)
        self._records.update({(container_id, id): found.get(id) for id in ids})

    def _listed(self, container_id: str, cursor: str, window: Window) -> tuple[list[Page], ProviderError | None]:
        """Returns a listing's pages, and what it broke off with."""
        pages: list[Page] = []
        count = 0
        try:
            for page in getting_on(self._remote.changes(container_id, cursor, window)):
                pages.append(page)
                count += len(page.records)
                if count > MOST_RECORDS:
                    raise TooMuch
        except ProviderError as error:
            if error.about in (Subject.ACCOUNT, Subject.APP):
                raise
            return pages, error
        return pages, None


def _answer(question: Callable[[], Any]) -> Any:
    try:
        return question()
    except ProviderError as error:
        if error.about in (Subject.ACCOUNT, Subject.APP):
            raise
        return error
