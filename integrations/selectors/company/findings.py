"""What can be said of how a company stands: each a finding, with who acts next and when."""

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from integrations.models import Connection


class FindingKind(StrEnum):
    """Every kind of finding, worst first: in this order they are told."""

    NOBODY_WORKS = "nobody_works"
    NOT_CONNECTED = "not_connected"
    NO_ACCESS = "no_access"
    VENDOR_DOWN = "vendor_down"
    NEEDS_YOU = "needs_you"
    GIVEN_UP = "given_up"
    STUCK = "stuck"
    SETUP = "setup"
    NOT_UP_TO_DATE = "not_up_to_date"
    QUEUED_LONG = "queued_long"
    HELD = "held"
    PLAN_WAITS = "plan_waits"
    VENDOR_WAITS = "vendor_waits"
    FAILING = "failing"
    LAST_RUN = "last_run"
    UNKNOWN = "unknown"
    RUNNING = "running"
    NOT_SYNCED_YET = "not_synced_yet"
    LEAVING = "leaving"
    PERSON_LEFT = "person_left"
    PAUSED = "paused"
    IGNORED = "ignored"
    NOTICE = "notice"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {kind: number for number, kind in enumerate(FindingKind)}


class Urgency(IntEnum):
    """What it means for the work: nothing is wrong (it runs, or somebody wanted it so); it passes by itself; single
    records wait for an answer; something stands still until somebody acts."""

    CALM = 0
    PASSES = 1
    CAN_WAIT = 2
    STOPS_WORK = 3

    @property
    def tone(self) -> str:
        """Returns its colour: what waits by itself, or was put aside, is neither red nor hidden."""
        return ("muted", "info", "warning", "danger")[self]


class ActsNext(StrEnum):
    """Who acts next."""

    PERSON = "person"
    OPERATOR = "operator"
    VENDOR = "vendor"
    FIELDCAMP = "fieldcamp"
    NOBODY = "nobody"


@dataclass(frozen=True)
class CompanyFinding:
    """One thing that is not simply in step, in the reader's language.

    `sentence` is what stands on the first page, `detail` beneath it: whom it concerns, who acts next and when. Where
    several findings of a kind are told as one, `short` is this one's part of it and `count` how many things it is.
    `stops` are those of them that stop work. `moving`: what changes while people look on, and is not read
    out; `spoken` is what is read out of it, in steps."""

    kind: FindingKind
    urgency: Urgency
    acts: ActsNext
    sentence: str
    detail: str = ""
    short: str = ""
    moving: str = ""
    spoken: str = ""
    count: int = 1
    stops: int = 0
    integration: str = ""
    connections: tuple[Connection, ...] = ()
    since: dt.datetime | None = None
    next_at: dt.datetime | None = None
    url: str = ""
    label: str = ""  # what the link says
    job_id: str = ""
    problem_ids: tuple[str, ...] = ()

    @property
    def tone(self) -> str:
        return "info" if self.kind is FindingKind.RUNNING else self.urgency.tone

    @property
    def needs_person(self) -> bool:
        """Returns whether it waits for somebody of the company."""
        return self.acts is ActsNext.PERSON and self.urgency >= Urgency.CAN_WAIT
