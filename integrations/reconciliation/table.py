"""The differences as a table for spreadsheets, and below them what is left of credits and of other entries."""

from collections.abc import Iterator

from fieldcamp.spreadsheets import csv_line
from integrations.reconciliation.documents import HERE, THERE, ZERO
from integrations.reconciliation.report import ReconciliationReport


def csv_table(report: ReconciliationReport) -> Iterator[str]:
    """Yields the lines: a head, then one for each difference, for each credit, and for each other entry. `difference`
    is what is here less what is there. Credits are in the books by their nature; what other entries come to is a
    difference of the customer's, until somebody accepts it."""
    remote = report.provider.remote_id_name
    yield csv_line(["kind", "record_id", remote, "number", "name", "client_id", "date_here", "date_there", "here",
                    "there", "difference", "open_here", "open_there", "cause", "fields", "message",
                    "next_action_url"])  # fmt: skip
    for row in report.differences:
        pair, difference = row.difference.pair, row.difference
        here, there = difference.amount(HERE), difference.amount(THERE)
        yield csv_line([
            pair.kind, pair.record_id, pair.remote_id, row.number, row.party.name, row.party.client_id,
            row.here.date if row.here else "", row.there.date if row.there else "", here, there,
            (here or ZERO) - (there or ZERO),
            sum((owed.here for owed in row.owed), ZERO), sum((owed.there for owed in row.owed), ZERO),
            difference.cause, " ".join(difference.fields), row.sentence, row.next_action_url,
        ])  # fmt: skip
    sentence = f"What is left of a credit in {report.provider.label}. FieldCamp has no credits: it is no difference."
    for credit in report.credits:
        yield csv_line([
            "credit", "", credit.remote_id, credit.number, credit.party.name, credit.party.client_id, "", credit.date,
            None, credit.left, ZERO, ZERO, -credit.left, "", "", sentence, "",
        ])  # fmt: skip
    for entry in report.entries:
        where = f"{entry.kind} in {report.provider.label}, on the customer's account."
        words = f"{where} FieldCamp has none: what they come to is the customer's difference until it is accepted."
        yield csv_line([
            "entry", "", entry.remote_id, entry.number, entry.party.name, entry.party.client_id, "", entry.date,
            None, entry.left, ZERO, ZERO, entry.left, "", "", words, "",
        ])  # fmt: skip
    for meant in report.accepted:
        gap, words = meant.gap, f"Accepted on {meant.accepted_at:%Y-%m-%d}: it is meant so, and no difference."
        yield csv_line([
            "accepted", meant.party.client_id, gap.customer, "", meant.party.name, meant.party.client_id, "", "",
            gap.known, gap.balance, ZERO, ZERO, ZERO, gap.cause, "balance", words, "",
        ])  # fmt: skip
