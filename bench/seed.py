"""`python -m bench.seed N`: N companies, each with a connected calendar and a key; prints the keys' secrets."""

import sys

import django


def main(count: int) -> None:
    django.setup()
    from django.utils import timezone

    from fieldcamp.api.models import ApiKey
    from fieldcamp.api.scopes import SCOPES
    from fieldcamp.api.secret import digest, new_prefix, new_secret
    from fieldcamp.workspace.models import Member, Workspace
    from integrations.models import Connection

    companies = [Workspace(name=f"Company {number}") for number in range(count)]
    people = [Member(workspace=company, first_name="Tech", is_technician=True) for company in companies]
    accounts = [
        Connection(
            workspace=member.workspace, integration="google_calendar", member=member, account_id=f"account-{number}",
            account_name=f"tech{number}@google.test", state="active", connected_at=timezone.now(),
        )
        for number, member in enumerate(people)
    ]  # fmt: skip
    secrets = [new_secret(new_prefix()) for _ in companies]
    keys = [
        ApiKey(workspace=company, name="bench", prefix=secret[:20], digest=digest(secret), scopes=list(SCOPES))
        for company, secret in zip(companies, secrets, strict=True)
    ]
    for rows in (companies, people, accounts, keys):
        type(rows[0])._default_manager.bulk_create(rows, batch_size=500)
    print("\n".join(secrets))


if __name__ == "__main__":
    main(int(sys.argv[1]))
