"""Rules as they are kept: what the standard knows, and nobody's words."""

import pytest

from integrations.providers.recurrence import rules_only

KEPT = [
    "RRULE:FREQ=WEEKLY;BYDAY=MO,-1FR;INTERVAL=2;UNTIL=20261231T235959Z;WKST=SU",
    "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1,15;COUNT=12;BYSETPOS=1",
    "RDATE;VALUE=DATE:20261224,20261225",
    "RDATE;VALUE=PERIOD:20261224T080000Z/PT1H",
    "EXDATE;TZID=Europe/Vienna:20261224T080000",
    "EXDATE;TZID=W. Europe Standard Time:20261224T080000,20261225T080000",
]


@pytest.mark.parametrize("line", KEPT)
def test_a_rule_of_the_standard_stays_as_it_is(line):
    assert rules_only([line]) == [line]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("RRULE:FREQ=DAILY;X-EVERY=oncologist", ["RRULE:FREQ=DAILY;X-UNREAD=1"]),
        ("RRULE;X-WHY=oncologist:FREQ=DAILY", ["RRULE:FREQ=DAILY"]),
        ("RRULE:FREQ=DAILY;BYDAY=oncologist", ["RRULE:FREQ=DAILY;BYDAY=UNREAD"]),
        ("RRULE:FREQ=DAILY\nSUMMARY:oncologist", ["RRULE:FREQ=UNREAD"]),
        ("EXDATE;TZID=oncologist:20261224T080000", ["EXDATE;TZID=UNREAD:20261224T080000"]),
        ("EXDATE:oncologist", ["EXDATE:UNREAD"]),
        ("X-NOTE:oncologist", []),
        ("oncologist", ["UNREAD"]),
    ],
)
def test_what_somebody_has_written_is_left_out(line, kept):
    assert rules_only([line]) == kept
