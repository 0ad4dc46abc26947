"""Minutes between two syncs, in words."""

from django.utils.translation import gettext

CHOICES = (5, 15, 30, 60, 120, 240, 720, 1440, 0)


def every(minutes: int) -> str:
    """Returns `every 30 min`, `every 2 h`, `once a day`, `by hand only`."""
    if not minutes:
        return gettext("by hand only")
    if minutes == 1440:
        return gettext("once a day")
    if minutes == 60:
        return gettext("every hour")
    if minutes % 60 == 0:
        return gettext("every {number} h").format(number=minutes // 60)
    return gettext("every {number} min").format(number=minutes)
