"""Where the numbering of each list stands."""

from django.db import models


class ListCounter(models.Model):
    """The last number given in the list of one kind of a workspace's records, under this row's lock.

    `at` is the latest time that records of it were listed at; `day` the company's day when those were looked at that a
    new day shows otherwise.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    last = models.BigIntegerField(default=0)
    at = models.DateTimeField(null=True)
    day = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "kind"], name="one_counter_per_list")]

    def __str__(self) -> str:
        return f"{self.workspace_id} {self.kind} {self.last}"
