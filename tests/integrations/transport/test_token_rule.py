"""The refresh rule where another process has the claim, over a store in memory."""

import datetime as dt
import threading

import pytest

from integrations.errors import NeedsReconnect, Unavailable
from integrations.records import Tokens
from integrations.transport.tokens import Grant, RefreshingTokens
from tests.faketime import FakeTime

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)


class Shelf:
    """A store in memory whose claim is held by somebody else until told otherwise."""

    def __init__(self, grant: Grant, claimed: bool = False):
        self.grant, self.claimed = grant, claimed
        self.lock = threading.Lock()

    def read(self) -> Grant:
        return self.grant

    def claim(self, version, now, until) -> bool:
        return not self.claimed

    def release(self, version) -> None:
        pass

    def save(self, version, tokens, now) -> bool:
        if version != self.grant.version:
            return False
        self.grant = Grant(version + 1, tokens.access_token, self.grant.refresh_token, tokens.expires_at)
        return True

    def died(self, version, error) -> None:
        raise AssertionError("nothing died")

    lacks = died


OLD = Grant(1, "old", "refresh", NOW - dt.timedelta(hours=1))


def test_waiting_for_another_process_is_bounded():
    time = FakeTime(NOW)
    shelf = Shelf(OLD, claimed=True)
    with pytest.raises(Unavailable):
        RefreshingTokens(shelf, lambda token: pytest.fail("not ours to refresh"), {}, **time.kwargs()).access_token()
    assert 10 <= sum(time.slept) < 11


def test_who_waits_gets_the_other_processs_token():
    time = FakeTime(NOW)
    shelf = Shelf(OLD, claimed=True)

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if len(time.slept) == 3:
            shelf.grant = Grant(2, "theirs", "refresh", NOW + dt.timedelta(hours=1))

    source = RefreshingTokens(
        shelf, lambda token: pytest.fail("not ours to refresh"), {}, clock=time.clock, sleep=sleep
    )
    assert source.access_token() == "theirs"


def test_an_answer_that_came_too_late_is_thrown_away():
    time = FakeTime(NOW)
    shelf = Shelf(OLD)

    def refresh(token: str) -> Tokens:
        shelf.grant = Grant(5, "of a reconnect", "refresh 2", NOW + dt.timedelta(hours=1))
        return Tokens("late", NOW + dt.timedelta(hours=1))

    assert RefreshingTokens(shelf, refresh, {}, **time.kwargs()).access_token() == "of a reconnect"


class Ledger(Shelf):
    """Two processes' view of one grant, whose death is written down."""

    def __init__(self, grant: Grant):
        super().__init__(grant)
        self.deaths: list[int] = []

    def died(self, version, error) -> None:
        self.deaths.append(version)


def test_a_refusal_of_the_old_token_says_nothing_once_newer_ones_are_stored():
    """Two refresh at once with a vendor that rotates: the second's token was dead because the first has used it."""
    time, shelf = FakeTime(NOW), Ledger(OLD)

    def refresh(token: str) -> Tokens:
        shelf.grant = Grant(2, "of the other process", "refresh 2", NOW + dt.timedelta(hours=1))
        raise NeedsReconnect("invalid_grant")

    assert RefreshingTokens(shelf, refresh, {}, **time.kwargs()).access_token() == "of the other process"
    assert shelf.deaths == []


def test_a_refusal_of_the_newest_token_is_the_end_of_the_grant():
    time, shelf = FakeTime(NOW), Ledger(OLD)

    def refresh(token: str) -> Tokens:
        raise NeedsReconnect("invalid_grant")

    with pytest.raises(NeedsReconnect):
        RefreshingTokens(shelf, refresh, {}, **time.kwargs()).access_token()
    assert shelf.deaths == [1]


def test_a_failed_refresh_gives_its_claim_back():
    """Else everybody would wait for the claim to run out."""
    time, shelf, released = FakeTime(NOW), Ledger(OLD), []
    shelf.release = released.append

    def refresh(token: str) -> Tokens:
        raise Unavailable("Away.")

    with pytest.raises(Unavailable):
        RefreshingTokens(shelf, refresh, {}, **time.kwargs()).access_token()
    assert (released, shelf.deaths) == ([1], [])
