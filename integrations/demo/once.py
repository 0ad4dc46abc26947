"""The main job from end to end, without a browser: edits on both sides, a sync, and a comparison record by record."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from integrations.demo.caller import Caller

VISIT_MARK = "fieldcamp_visit"
Say = Callable[[str], None]


class Disagreement(Exception):
    """Both sides do not show the same."""


class GoogleUser:
    """What a person does in their own Google calendar."""

    def __init__(self, sandbox_url: str, account: str):
        self.account = account
        self.control = Caller(f"{sandbox_url}/_control")
        scopes = ["https://www.googleapis.com/auth/calendar.events"]
        token = self.control("POST", "/token", {"vendor": "google", "account": account, "scopes": scopes})
        self.calendar = Caller(f"{sandbox_url}/google/api/calendar/v3/calendars/primary", token["access_token"])

    def events(self) -> list[dict[str, Any]]:
        """The main calendar's live events, straight from the sandbox's own store."""
        state = self.control("GET", f"/state?vendor=google&account={self.account}")
        main = state["accounts"][self.account]["calendars"][0]
        return [event for event in main["events"] if event["status"] != "cancelled"]

    def visits(self) -> dict[str, dict[str, Any]]:
        """The events that stand for a visit, by its id. Disagreement if one visit has two."""
        found: dict[str, dict[str, Any]] = {}
        for event in self.events():
            visit_id = event.get("extendedProperties", {}).get("private", {}).get(VISIT_MARK)
            if visit_id in found:
                raise Disagreement(f"{visit_id} has two events in {self.account}'s calendar.")
            if visit_id:
                found[visit_id] = event
        return found


def instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def written(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def google_calendar(api: Caller, sandbox_url: str, say: Say) -> list[dict[str, Any]]:
    """Edits visits here and events there, syncs, compares; the jobs. Raises Disagreement."""
    team = {member["email"]: member["id"] for member in api.pages("/team")}
    dana, lee = (GoogleUser(sandbox_url, f"{name}@google.test") for name in ("dana", "lee"))
    people = {team[user.account]: user for user in (dana, lee)}
    compare(api, people)
    mine = sorted(_of(api, team[dana.account]), key=lambda visit: visit["scheduledStart"])
    theirs = sorted(_of(api, team[lee.account]), key=lambda visit: visit["scheduledStart"])

    say("Editing in FieldCamp: a visit moved, one given to Lee, one cancelled, one new …")
    later = dt.timedelta(minutes=15)
    moved, given, cancelled = mine[0], mine[1], mine[2]
    api("PATCH", f"/visits/{moved['id']}", _times(moved, later))
    api("PATCH", f"/visits/{given['id']}", {"technicianId": team[lee.account]})
    api("PATCH", f"/visits/{cancelled['id']}", {"visitStatus": "cancelled"})
    new = _times(mine[-1], dt.timedelta(days=1))
    made = api(
        "POST",
        "/visits",
        {"clientId": moved["clientId"], "technicianId": team[dana.account], "title": "Emergency repair", **new},
    )["data"]

    say("Editing in Google: an event moved, one renamed, a private appointment …")
    events = lee.visits()
    pulled, renamed = theirs[0], theirs[1]
    times = {
        name: {"dateTime": written(instant(events[pulled["id"]][name]["dateTime"]) + later)}
        for name in ("start", "end")
    }
    lee.calendar("PATCH", f"/events/{events[pulled['id']]['id']}", times)
    lee.calendar("PATCH", f"/events/{events[renamed['id']]['id']}", {"summary": "My own words"})
    evening = instant(theirs[0]["scheduledStart"]).replace(hour=23, minute=0)
    private = lee.calendar(
        "POST",
        "/events",
        {
            "summary": "Dentist",
            "start": {"dateTime": written(evening)},
            "end": {"dateTime": written(evening + dt.timedelta(hours=1))},
        },
    )

    since = written(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5))
    jobs = [api.sync("google-calendar")]
    compare(api, people)
    _expect(made["id"] in dana.visits(), "the new visit has no event")
    _expect(cancelled["id"] not in dana.visits(), "the cancelled visit still has its event")
    _expect(given["id"] in lee.visits() and given["id"] not in dana.visits(), "the visit did not change calendars")
    now = api("GET", f"/visits/{pulled['id']}")["data"]["scheduledStart"]
    _expect(instant(now) == instant(times["start"]["dateTime"]), "the move in Google did not reach the visit")
    _expect(lee.visits()[renamed["id"]]["summary"] != "My own words", "the title was not put back")
    feed = api("GET", f"/integrations/google-calendar/sync?since={since}&limit=200")["changes"]
    rows = [row for row in feed if row["google_event_id"] == private["id"]]
    _expect(len(rows) == 1 and rows[0]["event"]["summary"] is None, "the private event is not one row without title")
    _expect(
        {row["visit_id"] for row in feed if row["visit_id"]} == {pulled["id"], renamed["id"]},
        "the change feed does not name exactly the two visits that were edited in Google",
    )

    say("Syncing once more: nothing is left to do …")
    jobs.append(api.sync("google-calendar"))
    compare(api, people)
    quiet = jobs[-1]["counts"]
    _expect(quiet["pulled"] == quiet["pushed"] == quiet["failed"] == 0, f"the quiet sync was not quiet: {quiet}")
    return jobs


def compare(api: Caller, people: dict[str, GoogleUser]) -> int:
    """Each person's scheduled visits are exactly their calendar's events, with the same times, title and place."""
    compared = 0
    for member_id, user in people.items():
        visits = {visit["id"]: visit for visit in _of(api, member_id)}
        events = user.visits()
        if missing := visits.keys() ^ events.keys():
            raise Disagreement(f"{user.account}: only on one side: {', '.join(sorted(missing))}")
        for visit_id, visit in visits.items():
            event = events[visit_id]
            differs = [
                f"{name}: {here!r} here, {there!r} there"
                for name, here, there, same in (
                    _moment("start", visit["scheduledStart"], event["start"]),
                    _moment("end", visit["scheduledEnd"], event["end"]),
                    ("title", visit["title"], event["summary"], event["summary"].startswith(visit["title"])),
                    ("address", visit["address"], event.get("location"), _is_place(visit, event)),
                )
                if not same
            ]
            _expect(not differs, f"{visit_id} differs in {'; '.join(differs)}")
            compared += 1
    return compared


def _moment(name: str, here: str, there: dict[str, str]) -> tuple[str, str, str, bool]:
    return name, here, there["dateTime"], instant(here) == instant(there["dateTime"])


def _is_place(visit: dict[str, Any], event: dict[str, Any]) -> bool:
    """A visit without an address of its own is at its client's."""
    return event.get("location") == visit["address"] if visit["address"] else True


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


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Disagreement(otherwise)


# What is tried for each integration that exists.
WALKS: dict[str, Callable[[Caller, str, Say], list[dict[str, Any]]]] = {"google_calendar": google_calendar}


def table(jobs: list[dict[str, Any]]) -> str:
    """The jobs and their counts, one line each."""
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
