"""Who in the books has a name already: the books have each name once in a list."""

from collections import defaultdict
from collections.abc import Mapping

from django.db.models.fields.json import KT
from django.db.models.functions import Lower

from integrations.models import Link, Stream


def namesakes(stream: Stream, field: str, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Returns the ids there of those that are called like each of these records, by the records' ids; `names` are what
    these would be called there, in the links' `field`."""
    folded = {record_id: name.lower() for record_id, name in names.items()}
    rows = Link.objects.present().filter(stream=stream).annotate(name=Lower(KT(f"seen__{field}")))
    found = defaultdict(list)
    for remote_id, name in rows.filter(name__in=set(folded.values())).order_by("pk").values_list("remote_id", "name"):
        found[name].append(remote_id)
    return {record_id: found[name] for record_id, name in folded.items()}
