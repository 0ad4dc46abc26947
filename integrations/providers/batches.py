"""Single calls in batches, for vendors whose every event is a call of its own and who take many of them in one."""

import contextlib
import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import requests

from integrations import errors
from integrations.providers.base import Http
from integrations.providers.calendars import lost_calendar, tombstone
from integrations.providers.faults import without_words
from integrations.records import Container, Operation, RemoteRecord, Verb, WriteResult
from integrations.transport.answers import retry_after
from integrations.transport.client import utc_now
from integrations.transport.exchanges import Part, carrying, listing

# What ends the whole call: every other write would fare the same.
FATAL = (
    errors.NeedsReconnect, errors.NeedsPermission, errors.Misconfigured, errors.Suspended, errors.MailboxUnavailable,
)  # fmt: skip
REFUSED = (errors.Rejected, errors.ContainerUnavailable)


@dataclass(frozen=True)
class Call:
    """One part: `path` begins with a slash, `body` is JSON."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came back for one part."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def wait(self, now: dt.datetime) -> float:
        """Returns how long this part asks to wait, in seconds; 0 where it does not say."""
        named = {name.casefold(): str(value) for name, value in self.headers.items()}
        return retry_after(named.get("retry-after"), now) or 0.0


class BatchingCalendar(ABC):
    """Reads and writes of a `ProviderClient` by batches. A vendor says how a batch is written, what each operation and
    each look is as a call, and what its answers mean."""

    vendor: ClassVar[str]
    batch_size: ClassVar[int]

    def __init__(self, http: Http, account_id: str = ""):
        self.http = http

    @abstractmethod
    def post_of(self, calls: Sequence[Call]) -> tuple[str, dict[str, Any]]:
        """Returns the batch's address, and what requests is given to post it."""

    @abstractmethod
    def parts_of(self, response: requests.Response, count: int) -> list[Answer | None]:
        """Returns the answers in the calls' order; None for each that is missing."""

    @abstractmethod
    def refusal(self, status: int, body: Any, now: dt.datetime, wait: float) -> errors.ProviderError:
        """Returns what a part of 400 or more means, which asks to wait for so many seconds."""

    @abstractmethod
    def call_of(self, container_id: str, operation: Operation) -> Call:
        """Returns one write as a call."""

    @abstractmethod
    def written(self, container_id: str, operation: Operation, answer: Answer) -> WriteResult:
        """Returns what a create or an update has made, by the whole event that it was answered with."""

    @abstractmethod
    def get(self, container_id: str, ids: Sequence[str]) -> dict[str, RemoteRecord]:
        """Does as `ProviderClient` promises."""

    @abstractmethod
    def containers(self, about: str = "") -> list[Container]:
        """Does as `ProviderClient` promises."""

    def listed(self, container_id: str, page: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Returns a page of a calendar's listing. One answer that it is not there is no proof: it is asked for once
        more, and then it is the account's own list of calendars that counts; so it is where there is no mailbox behind
        it, which may be somebody else's. Raises `ContainerGone`, and `ContainerUnavailable` where it is theirs."""
        with contextlib.suppress(errors.Gone, errors.MailboxUnavailable), listing():
            return page()
        try:
            with listing():
                return page()
        except (errors.Gone, errors.MailboxUnavailable) as error:
            self._must_be_there(container_id, error)
            raise errors.Unavailable(
                f"{self.vendor} does not find this calendar at the moment, although the account has it.",
                detail=error.detail,
            ) from None

    def _must_be_there(self, container_id: str, error: errors.Gone | errors.MailboxUnavailable) -> None:
        """Raises `ContainerGone` where the account's own list of calendars has it no more, and `ContainerUnavailable`
        where its events may not be seen any more."""
        with contextlib.suppress(errors.Gone):  # whoever says so of the list as well says it of everything
            found = next((each for each in self.containers(container_id) if each.id == container_id), None)
            if found is None:
                raise lost_calendar(error) from None
            if not found.readable:
                raise errors.ContainerUnavailable(
                    "The account may not see the events of this calendar any more. Choose another calendar or ask its"
                    " owner.",
                    detail=error.detail,
                ) from None

    def is_event(self, body: Any) -> bool:
        """Returns whether a body is whole: what a proxy in between says is not."""
        return isinstance(body, dict)

    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]:
        if not operations:
            return []
        if len(operations) > self.batch_size:
            raise ValueError(f"{self.vendor} takes {self.batch_size} calls in a batch, not {len(operations)}.")
        calls = [self.call_of(container_id, operation) for operation in operations]
        answers = self._send(calls, [operation.key for operation in operations], retry_safe=False)
        results = [
            self._result(container_id, operation, answer) for operation, answer in zip(operations, answers, strict=True)
        ]
        if any(isinstance(result.error, errors.RateLimited) for result in results):
            self.http.slow_down()
        for result in results:
            if isinstance(result.error, errors.MailboxUnavailable):  # the account's own, or that of who has lent it
                self._must_be_there(container_id, result.error)
            if isinstance(result.error, FATAL):
                raise result.error
        missed = [result.error for result in results if isinstance(result.error, errors.Gone)]
        if missed and len(missed) == len(results):  # each event may have been removed, or the calendar with them
            self._must_be_there(container_id, missed[0])
        return self._with_refused_deletes_settled(container_id, operations, results)

    def look(self, ids: Sequence[str], call: Callable[[str], Call]) -> Iterator[tuple[str, Answer | None]]:
        """Yields what is answered to the call for each id; None where that says that it is not there. A 400 is passed
        on: it is about this id alone, and nobody will read an event in it."""
        for start in range(0, len(ids), self.batch_size):
            chunk = ids[start : start + self.batch_size]
            answers = self._send([call(id) for id in chunk], chunk, retry_safe=True)
            for id, answer in zip(chunk, answers, strict=True):
                error = self._error_in(answer)
                if answer and error:
                    without_words(error, answer.body)
                if isinstance(error, errors.Gone):
                    yield id, None
                elif error and not (answer and answer.status == 400 and isinstance(error, errors.Rejected)):
                    raise error
                else:
                    yield id, answer

    def _send(self, calls: Sequence[Call], keys: Sequence[str], *, retry_safe: bool) -> list[Answer | None]:
        """Returns what is answered to each call, in their order; `keys` say whose each is."""
        carried = [Part(key, call.method, call.path.partition("?")[0]) for key, call in zip(keys, calls, strict=True)]

        @lru_cache(maxsize=1)
        def parts(response: requests.Response) -> list[Answer | None]:
            return self.parts_of(response, len(calls))

        def all_refused(response: requests.Response) -> bool:
            return response.status_code == 200 and all(part and part.status == 401 for part in parts(response))

        def any_answer(response: requests.Response) -> None:
            if retry_safe and calls and not any(parts(response)):
                raise errors.Unavailable(f"{self.vendor}'s answer to these was lost.")

        url, post = self.post_of(calls)
        with carrying(carried):
            response = self.http.request(
                "POST",
                url,
                **post,
                cost=len(calls),
                retry_safe=retry_safe,
                reads=retry_safe,  # what may not be sent twice is a write
                rejects_token=all_refused,
                whole=any_answer,
            )
        answers = parts(response)
        for each, answer in zip(carried, answers, strict=True):
            each.status = answer.status if answer else None
        # A token that ends in the middle of a batch: those parts were not carried out, the next call renews it.
        return [None if answer and answer.status == 401 else answer for answer in answers]

    def _error_in(self, answer: Answer | None, holds_event: bool = True) -> errors.ProviderError | None:
        if answer and answer.status >= 400:
            now = utc_now()
            return self.refusal(answer.status, answer.body, now, answer.wait(now))
        if answer is None or (holds_event and not self.is_event(answer.body)):
            return errors.Unavailable(f"{self.vendor}'s answer to this one was lost.")
        return None

    def _result(self, container_id: str, operation: Operation, answer: Answer | None) -> WriteResult:
        error = self._error_in(answer, holds_event=operation.verb is not Verb.DELETE)
        if operation.verb is Verb.DELETE and (error is None or isinstance(error, errors.Gone)):
            return WriteResult(operation.key, tombstone(operation.remote_id))
        if error or answer is None:
            return WriteResult(operation.key, error=error)
        return self.written(container_id, operation, answer)

    def _with_refused_deletes_settled(
        self, container_id: str, operations: Sequence[Operation], results: list[WriteResult]
    ) -> list[WriteResult]:
        """Looks before calling it a failure: vendors have been seen to answer 403 when a cancelled event is deleted."""
        refused = {
            operation.key: operation.remote_id
            for operation, result in zip(operations, results, strict=True)
            if operation.verb is Verb.DELETE and isinstance(result.error, REFUSED)
        }
        now = self.get(container_id, list(refused.values())) if refused else {}
        return [
            WriteResult(result.key, now[refused[result.key]])
            if result.key in refused and now[refused[result.key]].gone
            else result
            for result in results
        ]
