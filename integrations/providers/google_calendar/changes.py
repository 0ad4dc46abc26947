"""What Google has announced for its calendar."""

from datetime import date

from integrations.providers.changes import Concerns, VendorChange

NOTES = "https://developers.google.com/workspace/calendar/release-notes"
READ = date(2026, 11, 22)

CHANGES = (
    VendorChange(
        on=date(2025, 11, 1),
        what="A secondary calendar has one data owner, who alone may delete it.",
        here="Unknown fields are passed over; a calendar that is deleted stops alone, by its name.",
        page=NOTES,
        read=READ,
    ),
    VendorChange(
        on=date(2026, 7, 7),
        what="A stricter visibility of one occurrence spreads over its whole series.",
        here="Visibility is neither written nor read: of other events only their times are kept.",
        page=NOTES,
        read=READ,
    ),
    VendorChange(
        on=date(2026, 7, 14),
        what="Lists of calendars may be narrowed to the person's own organization (showOwnOrganizationOnly).",
        here="Not asked for: people choose from all of their calendars.",
        page=NOTES,
        read=READ,
    ),
    VendorChange(
        on=date(2026, 10, 5),
        what="Workspace deletes secondary calendars whose data owner has left the organization.",
        here="That calendar alone stops, by its name, after two syncs; the visits stay, and another is asked for.",
        page=NOTES,
        read=READ,
        concerns=Concerns.ACCOUNTS,
        todo="Let visits go to calendars of the technicians' own, or have shared ones transferred before a colleague "
        "leaves.",
    ),
    VendorChange(
        on=date(2026, 11, 3),
        what="Calendars show working hours (workingHours).",
        here="Not read: working hours are no busy time.",
        page=NOTES,
        read=READ,
    ),
    VendorChange(
        on=date(2027, 4, 1),
        what="Projects that are not enrolled in a tier are held to the Standard tier's limits; the tiers exist since "
        "24 November 2026.",
        here="Each account stays below 600 calls a minute, and waits where Google says so.",
        page="https://developers.google.com/workspace/calendar/api/guides/quotas",
        read=READ,
        concerns=Concerns.APP,
        todo="Enrol the project in the Google Cloud console; without that there is no increase.",
    ),
)
