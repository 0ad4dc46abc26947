"""`manage.py doctor`: looks at everything that an operator can get wrong, and says how to mend it."""

from django.core.management.base import BaseCommand, CommandError

from integrations.services.doctor import Finding, Weight, announced, examine

_SIGNS = {Weight.FINE: "fine ", Weight.NOTE: "note ", Weight.WRONG: "WRONG"}


class Command(BaseCommand):
    help = (
        "Examines settings, database, queue, workers, mail, the clock, stored tokens, and for each vendor its redirect "
        "address, its addresses and the app's id and secret. Says how to mend what it finds. Changes nothing; ends with"
        " 1 where something is wrong."
    )
    requires_system_checks = ()  # they are a part of what is examined

    def add_arguments(self, parser):
        parser.add_argument(
            "--vendors", action="store_true", help="shows what vendors have announced and what it means here, alone"
        )
        parser.add_argument("--offline", action="store_true", help="leaves out what needs the network")

    def handle(self, *args, offline: bool = False, vendors: bool = False, **options) -> None:
        count = dict.fromkeys(Weight, 0)
        for finding in announced(whole=True) if vendors else examine(offline=offline):
            count[finding.weight] += 1
            self._print(finding)
        if wrong := count[Weight.WRONG]:
            raise CommandError(f"{wrong} of {sum(count.values())} things are wrong.")
        self.stdout.write(f"\nNothing is wrong; {count[Weight.NOTE]} to note.")

    def _print(self, finding: Finding) -> None:
        style = {Weight.WRONG: self.style.ERROR, Weight.NOTE: self.style.WARNING}.get(finding.weight, str)
        self.stdout.write(f"{style(_SIGNS[finding.weight])}  {finding.about}: {finding.sentence}")
        if finding.mend:
            self.stdout.write(f"       {finding.mend}")
