"""The main job from end to end, without a browser: edits on both sides, a sync, and a comparison record by record."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from integrations.demo.caller import Caller
from integrations.demo.users import USERS, CalendarUser, Shown, instant, written
from integrations.providers import PROVIDERS

NAMES = ("dana", "lee")
Say = Callable[[str], None]


class Disagreement(Exception):
    """Both sides do not show the same."""


class Walk:
    """One calendar integration, tried with the two people who have it."""

    def __init__(self, name: str, api: Caller, sandbox_url: str):
        self.api, self.provider = api, PROVIDERS[name]
        team = {member["email"].partition("@")[0]: member["id"] for member in api.pages("/team")}
        self.people = {team[person]: USERS[name](sandbox_url, person) for person in NAMES}
        self.ids = [team[person] for person in NAMES]

    def sync(self) -> dict[str, Any]:
        return self.api.sync(self.provider.slug)

    def go(self, say: Say) -> list[dict[str, Any]]:
        """Edits visits here and events there, syncs, compares; the jobs. Raises Disagreement."""
        api, label = self.api, self.provider.label
        dana, lee = (self.people[member_id] for member_id in self.ids)
        jobs = [self.sync()]
        self.compare()
        mine, theirs = (
            sorted(_of(api, member_id), key=lambda visit: visit["scheduledStart"]) for member_id in self.ids
        )

        say("Editing in FieldCamp: a visit moved, one given to Lee, one cancelled, one new …")
        later = dt.timedelta(minutes=15)
        moved, given, cancelled = mine[0], mine[1], mine[2]
        api("PATCH", f"/visits/{moved['id']}", _times(moved, later))
        api("PATCH", f"/visits/{given['id']}", {"technicianId": self.ids[1]})
        api("PATCH", f"/visits/{cancelled['id']}", {"visitStatus": "cancelled"})
        new = _times(mine[-1], dt.timedelta(days=1))
        body = {"clientId": moved["clientId"], "technicianId": self.ids[0], "title": "Emergency repair", **new}
        made = api("POST", "/visits", body)["data"]

        say(f"Editing in {label}: an event moved, one renamed, a private appointment …")
        events = visits_of(lee)
        pulled, renamed = theirs[0], theirs[1]
        lee.edit(events[pulled["id"]], later=later)
        lee.edit(events[renamed["id"]], title="My own words")
        late = instant(theirs[0]["scheduledStart"]).replace(hour=23, minute=0)
        private = lee.add("Dentist", late)

        since = written(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5))
        jobs.append(self.sync())
        self.compare()
        hers, his = visits_of(dana), visits_of(lee)
        expect(made["id"] in hers, "the new visit has no event")
        expect(cancelled["id"] not in hers, "the cancelled visit still has its event")
        expect(given["id"] in his and given["id"] not in hers, "the visit did not change calendars")
        now = api("GET", f"/visits/{pulled['id']}")["data"]["scheduledStart"]
        expect(instant(now) == events[pulled["id"]].start + later, f"the move in {label} did not reach the visit")
        expect(his[renamed["id"]].title != "My own words", "the title was not put back")
        feed = api("GET", f"/integrations/{self.provider.slug}/sync?since={since}&limit=200")["changes"]
        rows = [row for row in feed if row["event"] and instant(row["event"]["start"]) == late]
        expect(len(rows) == 1 and rows[0]["event"]["summary"] is None, "the private event is not one row without title")
        expect(private not in str(feed), "the change feed gives the id of a private event")
        expect(
            {row["visit_id"] for row in feed if row["visit_id"]} == {pulled["id"], renamed["id"]},
            f"the change feed does not name exactly the two visits that were edited in {label}",
        )

        say("Syncing once more: nothing is left to do …")
        jobs.append(self.sync())
        self.compare()
        quiet = jobs[-1]["counts"]
        expect(quiet["pulled"] == quiet["pushed"] == quiet["failed"] == 0, f"the quiet sync was not quiet: {quiet}")
        return jobs

    def compare(self) -> int:
        """Checks that each person's scheduled visits are exactly their calendar's events, with the same times, title
        and place."""
        compared = 0
        for member_id, user in self.people.items():
            visits = {visit["id"]: visit for visit in _of(self.api, member_id)}
            events = visits_of(user)
            if missing := visits.keys() ^ events.keys():
                raise Disagreement(f"{user.account}: only on one side: {', '.join(sorted(missing))}")
            for visit_id, visit in visits.items():
                _compare(visit, events[visit_id])
                compared += 1
        return compared


def visits_of(user: CalendarUser) -> dict[str, Shown]:
    """Returns the events that stand for a visit, by its id. Disagreement if one visit has two."""
    found: dict[str, Shown] = {}
    for event in user.events():
        if event.visit_id in found:
            raise Disagreement(f"{event.visit_id} has two events in {user.account}'s calendar.")
        if event.visit_id:
            found[event.visit_id] = event
    return found


def _compare(visit: dict[str, Any], event: Shown) -> None:
    differs = [
        f"{name}: {here!r} here, {there!r} there"
        for name, here, there, same in (
            ("start", visit["scheduledStart"], event.start, instant(visit["scheduledStart"]) == event.start),
            ("end", visit["scheduledEnd"], event.end, instant(visit["scheduledEnd"]) == event.end),
            ("title", visit["title"], event.title, event.title.startswith(visit["title"])),
            # A visit without an address of its own is at its client's.
            ("address", visit["address"], event.place, not visit["address"] or event.place == visit["address"]),
        )
        if not same
    ]
    expect(not differs, f"{visit['id']} differs in {'; '.join(differs)}")


def _of(api: Caller, member_id: str) -> list[dict[str, Any]]:
    return [
        visit
        for visit in api.pages("/visits")
        if visit["technicianId"] == member_id
        and visit["scheduledStart"]
        and visit["visitStatus"] not in ("unscheduled", "cancelled")
    ]


def _times(visit: dict[str, Any], by: dt.timedelta) -> dict[str, str]:
    return {name: written(instant(visit[name]) + by) for name in ("scheduledStart", "scheduledEnd")}


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Disagreement(otherwise)


def table(jobs: list[dict[str, Any]]) -> str:
    """Returns the jobs and their counts, one line each."""
    head = ("job", "integration", "mode", "status", "pulled", "pushed", "skipped", "failed")
    rows = [
        head,
        *(
            (job["job_id"], job["integration"], job["mode"], job["status"], *map(str, job["counts"].values()))
            for job in jobs
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
