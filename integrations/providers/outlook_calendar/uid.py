"""One meeting, one uid: Outlook's way of writing iCalendar UIDs, brought to what other calendars have.

Exchange wraps a foreign UID into a binary one, and puts an occurrence's date into its own:
https://learn.microsoft.com/en-us/openspecs/exchange_server_protocols/ms-oxocal/1d3aac05-a7b9-45cc-a213-47f0a0a2c5c1
"""

CLASS_ID = "040000008200E00074C5B7101A82E008"
DATE = slice(32, 40)  # of the hexadecimal text: year, month, day of an instance
FOREIGN = b"vCal-Uid\x01\x00\x00\x00"


def same_everywhere(uid: str) -> str:
    """Returns the UID under which every copy of the meeting is known; one that is not Exchange's stays as it is."""
    if not uid.upper().startswith(CLASS_ID):
        return uid
    try:
        raw = bytes.fromhex(uid)
    except ValueError:
        return uid
    before, foreign, text = raw.partition(FOREIGN)
    if foreign:
        return text.rstrip(b"\x00").decode("utf-8", "replace")
    clean = uid.upper()
    return clean[: DATE.start] + "0" * 8 + clean[DATE.stop :]
