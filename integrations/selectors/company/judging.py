"""From what is known of a company to the list of findings. Nothing is asked here: a rule for each thing that is not
simply in step, and what no rule has a word for is told all the same."""

from collections.abc import Iterator
from itertools import chain

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.selectors.company.facts import CompanyFacts
from integrations.selectors.company.findings import ActsNext, CompanyFinding, FindingKind, Urgency
from integrations.selectors.company.of_accounts import findings_of_accounts
from integrations.selectors.company.of_jobs import findings_of_jobs
from integrations.selectors.company.of_vendors import findings_of_vendors
from integrations.selectors.company.words import clock, listed, names, place
from integrations.selectors.standings import FOR_NOBODY, Standing


def findings_of(facts: CompanyFacts) -> list[CompanyFinding]:
    """Returns everything that is not simply in step, worst first; nothing where all is as it should be."""
    found = list(chain(_of_everything(facts), *(_of_integration(facts, one) for one in facts.standings)))
    return sorted(found, key=lambda finding: (finding.kind.rank, -finding.urgency))


def _of_everything(facts: CompanyFacts) -> Iterator[CompanyFinding]:
    if not facts.accounts:
        yield CompanyFinding(
            FindingKind.NOT_CONNECTED,
            Urgency.CAN_WAIT,
            ActsNext.PERSON,
            _("Nothing is connected yet."),
            _("An owner or admin connects an account; the first sync begins after that."),
        )
        return
    if not facts.queue.working:
        yield _nobody_works(facts)


def _nobody_works(facts: CompanyFacts) -> CompanyFinding:
    since = facts.now - facts.queue.heartbeat if facts.queue.heartbeat is not None else None
    if since is None:
        sentence = _("Syncing has stopped: no worker has run yet")
    else:
        sentence = _("Syncing has stopped: nothing has run since {time}").format(
            time=clock(since, facts.zone, facts.now)
        )
    if jobs := facts.waiting_jobs:
        sentence += ngettext(", {number} job waits", ", {number} jobs wait", jobs).format(number=jobs)
    return CompanyFinding(
        FindingKind.NOBODY_WORKS,
        Urgency.STOPS_WORK,
        ActsNext.OPERATOR,
        f"{sentence}.",
        _("Whoever runs this site has to start it. Nothing is lost: it goes on from where it was."),
        connections=tuple(facts.accounts),
        stops=1,
        since=since,
    )


def _of_integration(facts: CompanyFacts, one: Standing) -> Iterator[CompanyFinding]:
    if not one.accounts:
        return
    found = [*_needs_you(facts, one), *findings_of_vendors(facts, one)]
    found += findings_of_accounts(facts, one, found)
    found += findings_of_jobs(facts, one, found)
    yield from found
    yield from _put_aside(facts, one)
    yield from _forgotten_holds(facts, one)
    yield from _plans(facts, one)


def _needs_you(facts: CompanyFacts, one: Standing) -> Iterator[CompanyFinding]:
    """Yields one finding for all that waits for an answer: the cards say the rest."""
    name = one.provider.name
    stops, waits = facts.open_counts[name, True], facts.open_counts[name, False]
    if not (number := stops + waits):
        return
    concerned = {problem.connection_id for problem in [*one.problems, *facts.of_accounts]
                 if problem.integration == name and problem.code not in FOR_NOBODY}  # fmt: skip
    accounts = [account for account in one.accounts if account.pk in concerned]
    whose = f"{place(name)} ({names(accounts)})" if accounts else place(name)
    yield CompanyFinding(
        FindingKind.NEEDS_YOU,
        Urgency.STOPS_WORK if stops else Urgency.CAN_WAIT,
        ActsNext.PERSON,
        ngettext("{number} thing needs you.", "{number} things need you.", number).format(number=number),
        _("It goes on as soon as somebody has answered."),
        short=_("{number} in {place}").format(number=number, place=whose),
        count=number,
        stops=stops,
        integration=name,
        connections=tuple(accounts),
        problem_ids=tuple(problem.pk for problem in one.problems),
        url="#needs",
    )


def _put_aside(facts: CompanyFacts, one: Standing) -> Iterator[CompanyFinding]:
    name = one.provider.name
    if number := facts.ignored.get(name, 0):
        first = facts.ignored_first.get(name, [])
        shown = listed([facts.ignored_names[problem.pk] for problem in first], number) if first else place(name)
        yield CompanyFinding(
            FindingKind.IGNORED,
            Urgency.CALM,
            ActsNext.NOBODY,
            ngettext("{number} record that you ignore", "{number} records that you ignore", number).format(
                number=number
            )
            + f": {shown}",
            _("Of {place}. It is looked at again when one side is edited, or when somebody brings it back.").format(
                place=place(name)
            ),
            short=shown,
            count=number,
            integration=name,
            problem_ids=tuple(problem.pk for problem in first),
            url=reverse("admin:integrations_problem_changelist") + "?state=ignored",
            label=_("Bring it back"),
        )
    if number := facts.notices.get(name, 0):
        yield CompanyFinding(
            FindingKind.NOTICE,
            Urgency.CALM,
            ActsNext.NOBODY,
            ngettext("{number} thing is good to know.", "{number} things are good to know.", number).format(
                number=number
            ),
            _("In {place}; there is nothing to do.").format(place=place(name)),
            short=_("{number} in {place}").format(number=number, place=place(name)),
            count=number,
            integration=name,
            url="#notices-title",
        )


def _forgotten_holds(facts: CompanyFacts, one: Standing) -> Iterator[CompanyFinding]:
    name = one.provider.name
    if number := facts.forgotten_holds[name]:
        yield CompanyFinding(
            FindingKind.HELD,
            Urgency.CAN_WAIT,
            ActsNext.PERSON,
            _("Removals of {place} wait for an answer.").format(place=place(name)),
            _("The next sync asks again what becomes of them."),
            count=number,
            integration=name,
            next_at=one.next_sync_at,
        )


def _plans(facts: CompanyFacts, one: Standing) -> Iterator[CompanyFinding]:
    name = one.provider.name
    if plans := facts.plans.get(name, []):
        number = len(plans)
        said = ngettext("{number} plan of {place} waits for an approval.",
                        "{number} plans of {place} wait for an approval.", number)  # fmt: skip
        until = max(plan.expires_at for plan in plans)
        yield CompanyFinding(
            FindingKind.PLAN_WAITS,
            Urgency.CAN_WAIT,
            ActsNext.PERSON,
            said.format(number=number, place=place(name)),
            _(
                "{place}: an API key has asked for it; somebody else approves it until {time}, or nothing is done."
            ).format(place=place(name), time=clock(until, facts.zone, facts.now)),
            count=number,
            integration=name,
            url=reverse("admin:integrations_syncjob_change", args=[plans[0].job_id]),
            label=_("See the plan"),
        )
