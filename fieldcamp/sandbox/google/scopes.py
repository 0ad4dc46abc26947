"""Which scopes reach which method, as Google's discovery document for Calendar v3 has them."""

PREFIX = "https://www.googleapis.com/auth/"

_EVENTS_WRITE = "calendar calendar.app.created calendar.events calendar.events.owned"
_EVENTS_READ = (
    f"{_EVENTS_WRITE} calendar.events.freebusy calendar.events.owned.readonly calendar.events.public.readonly"
    " calendar.events.readonly calendar.readonly"
)
_LIST_READ = "calendar calendar.calendarlist calendar.calendarlist.readonly calendar.readonly"
_LIST_WRITE = "calendar calendar.app.created calendar.calendarlist"
_CALENDAR_WRITE = "calendar calendar.app.created calendar.calendars"
_SETTINGS = "calendar calendar.readonly calendar.settings calendar.settings.readonly"

_ACL_READ = "calendar calendar.acls calendar.acls.readonly"
_ACL_WRITE = "calendar calendar.acls"

METHODS = {
    "acl.delete": _ACL_WRITE,
    "acl.get": f"{_ACL_READ} calendar.readonly",
    "acl.insert": _ACL_WRITE,
    "acl.list": _ACL_READ,
    "acl.patch": _ACL_WRITE,
    "acl.update": _ACL_WRITE,
    "acl.watch": _ACL_READ,
    "calendarList.delete": _LIST_WRITE,
    "calendarList.get": f"{_LIST_READ} calendar.app.created",
    "calendarList.insert": "calendar calendar.calendarlist",
    "calendarList.list": _LIST_READ,
    "calendarList.patch": _LIST_WRITE,
    "calendarList.update": _LIST_WRITE,
    "calendarList.watch": _LIST_READ,
    "calendars.clear": "calendar calendar.calendars",
    "calendars.delete": _CALENDAR_WRITE,
    "calendars.get": f"{_CALENDAR_WRITE} calendar.calendars.readonly calendar.readonly",
    "calendars.insert": _CALENDAR_WRITE,
    "calendars.patch": _CALENDAR_WRITE,
    "calendars.transferOwnership": "calendar calendar.calendars",
    "calendars.update": _CALENDAR_WRITE,
    "channels.stop": (
        f"{_EVENTS_READ} calendar.acls calendar.acls.readonly calendar.calendarlist calendar.calendarlist.readonly"
        " calendar.settings calendar.settings.readonly"
    ),
    "colors.get": (
        "calendar calendar.app.created calendar.calendarlist calendar.calendarlist.readonly calendar.events.freebusy"
        " calendar.events.owned calendar.events.owned.readonly calendar.events.public.readonly calendar.readonly"
    ),
    "events.delete": _EVENTS_WRITE,
    "events.get": _EVENTS_READ,
    "events.import": _EVENTS_WRITE,
    "events.insert": _EVENTS_WRITE,
    "events.instances": _EVENTS_READ,
    "events.list": _EVENTS_READ,
    "events.move": "calendar calendar.events calendar.events.owned",
    "events.patch": _EVENTS_WRITE,
    "events.quickAdd": _EVENTS_WRITE,
    "events.update": _EVENTS_WRITE,
    "events.watch": _EVENTS_READ,
    "freebusy.query": "calendar calendar.events.freebusy calendar.freebusy calendar.readonly",
    "settings.get": _SETTINGS,
    "settings.list": _SETTINGS,
    "settings.watch": _SETTINGS,
}

NAMES = {
    f"{PREFIX}calendar": "See, edit, share and delete all calendars",
    f"{PREFIX}calendar.readonly": "See all calendars",
    f"{PREFIX}calendar.events": "View and edit events on all calendars",
    f"{PREFIX}calendar.events.readonly": "View events on all calendars",
    f"{PREFIX}calendar.events.owned": "View and edit events on calendars you own",
    f"{PREFIX}calendar.calendarlist": "See, add and remove the calendars you subscribe to",
    f"{PREFIX}calendar.calendarlist.readonly": "See the list of calendars you subscribe to",
    f"{PREFIX}calendar.calendars": "See and change the properties of your calendars",
    f"{PREFIX}calendar.app.created": "Make calendars and manage the events on them",
    f"{PREFIX}calendar.acls": "See and change with whom your calendars are shared",
    f"{PREFIX}calendar.freebusy": "View your availability",
    f"{PREFIX}calendar.events.freebusy": "See the availability on calendars you can access",
    f"{PREFIX}calendar.settings.readonly": "View your calendar settings",
}

# Clients may still use these long names of the two identity scopes.
IDENTITY = {
    "openid": "openid",
    "email": f"{PREFIX}userinfo.email",
    "profile": f"{PREFIX}userinfo.profile",
    f"{PREFIX}userinfo.email": f"{PREFIX}userinfo.email",
    f"{PREFIX}userinfo.profile": f"{PREFIX}userinfo.profile",
}

_REACH = {method: frozenset(PREFIX + name for name in text.split()) for method, text in METHODS.items()}
KNOWN = frozenset().union(*_REACH.values()) | frozenset(IDENTITY)


def reaches(scopes: tuple[str, ...], method: str) -> bool:
    """Whether any of the scopes allows the method."""
    return not _REACH[method].isdisjoint(scopes)


def only_app_created(scopes: tuple[str, ...], method: str) -> bool:
    """Whether the method is allowed by nothing but calendar.app.created: then on the app's own calendars only."""
    return _REACH[method].intersection(scopes) == {f"{PREFIX}calendar.app.created"}
