"""What the queue calls (django-q2): ids in, one call. Regular work is planned by `manage.py worker`."""

from django.utils import timezone
from django_q.tasks import async_task

from fieldcamp.workspace.tracking import number_lists
from integrations.accounts import checking
from integrations.jobs import housekeeping, outages, reconciling, runner, stalls, watchdog
from integrations.mail import chat, problems, weekly
from integrations.mail import push as push_mails
from integrations.mail.alerts import alert_needs_person
from integrations.models import BROKEN, Connection
from integrations.push.silence import judge_silence


def run_job(job_id: str) -> None:
    """Runs one slice of a job. A second delivery of the same id does nothing: the claim decides."""
    watchdog.executed()
    runner.run(job_id)


def pulse(sender: str) -> None:
    """Proves that tasks get through the queue."""
    watchdog.answer(sender)


def daily() -> None:
    """Prunes, and does what the moving of the window asks for."""
    housekeeping.daily(timezone.now())
    for connection_id in reconciling.due():
        async_task("integrations.jobs.tasks.reconcile", connection_id)


def hourly() -> None:
    """Sends the weekly summaries and the mails of new problems that are due, so many at a time that one task ends well
    before its time-out."""
    now = timezone.now()
    if weekly.send_due(now) >= weekly.AT_ONCE or problems.send_due(now) >= problems.AT_ONCE:
        async_task("integrations.jobs.tasks.hourly")


def tell_of_ended_access(connection_id: str) -> None:
    """Mails the people of an account whose vendor has told that its access ended."""
    if Connection.objects.filter(pk=connection_id, state__in=BROKEN).exists():
        alert_needs_person(connection_id)


def tell_of_failing_push(connection_id: str, why: str) -> None:
    """Mails the owners that changes of an account come by the schedule alone at present."""
    push_mails.tell_of_failing_push(connection_id, why)


def say_in_chats() -> None:
    """Says in companies' chats what waits to be said there."""
    chat.send_due(timezone.now())


def check_access(*connection_ids: str) -> None:
    """Asks whether these accounts' vendor still lets FieldCamp in."""
    checking.check_access(connection_ids)


def minutely() -> None:
    """Numbers lists that are followed. Notices vendors that fail for everybody, accounts that are not up to date, and
    those vendors that have stopped telling, and tells of it. What may be told late comes last: an error there keeps
    nothing else from being told."""
    outages.watch(timezone.now())
    stalls.watch(timezone.now())
    if chat.is_due(timezone.now()):
        chat.ring()
    judge_silence(timezone.now())
    number_lists()


def reconcile(connection_id: str, turn: int = 1) -> None:
    """Makes the nightly verdict about one company's books; those that are large take several turns."""
    if not reconciling.reconcile(connection_id, timezone.now()) and turn < reconciling.MOST_TURNS:
        async_task("integrations.jobs.tasks.reconcile", connection_id, turn + 1)


def read_books(connection_id: str, turn: int = 1) -> None:
    """Reads on in large books that somebody has asked about."""
    if not reconciling.read_on(connection_id) and turn < reconciling.MOST_TURNS:
        async_task("integrations.jobs.tasks.read_books", connection_id, turn + 1)
