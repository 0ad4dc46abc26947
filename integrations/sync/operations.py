"""From decisions to writes at the provider: what is sent, under which id, and by which mark it is known as ours."""

from collections.abc import Callable, Mapping, Sequence

from integrations.records import Fields, Marker, Operation, Verb
from integrations.sync.beside import written_beside
from integrations.sync.ports import Target
from integrations.sync.state import Action, Decision, Pair, seed_of

_VERBS = {
    Action.CREATE_REMOTE: Verb.CREATE,
    Action.UPDATE_REMOTE: Verb.UPDATE,
    Action.REMOVE_REMOTE: Verb.DELETE,
}


def operations_of(
    decisions: Sequence[Decision],
    target: Target,
    make_id: Callable[[str], str],
    find_taken: Callable[[Mapping[str, str]], set[str]],
) -> list[tuple[Operation, int]]:
    """Returns the writes of decisions, each with the generation of its remote id. An id under which the stream knows
    somebody else's record already (`find_taken`) is passed over."""
    operations = [_operation(decision, target, make_id) for decision in decisions]
    while taken := find_taken({op.remote_id: op.key for op, _ in operations if op.verb is Verb.CREATE}):
        operations = [
            _operation(decision, target, make_id, generation + 1)
            if operation.remote_id in taken
            else (operation, generation)
            for decision, (operation, generation) in zip(decisions, operations, strict=True)
        ]
    return operations


def _operation(
    decision: Decision, target: Target, make_id: Callable[[str], str], generation: int | None = None
) -> tuple[Operation, int]:
    """Returns the write of a decision, and the generation of its remote id (that of a create may be given)."""
    pair, verb = decision.pair, _VERBS[decision.action]
    kind, link = pair.kind.name, pair.local.link
    if verb is not Verb.CREATE:
        marker = Marker(target.workspace_id, pair.record_id, pair.remote_id)
        push = {**_noted(pair), **_with_companions(pair, decision.push), **written_beside(pair, decision.push)}
        return Operation(pair.key, verb, kind, pair.remote_id, push, pair.tag, marker, link), pair.generation
    # A removed event keeps its id for good, so what is made again gets a new one.
    if generation is None:
        generation = pair.generation + 1 if pair.gone else pair.generation
    remote_id = make_id(seed_of(target.stream_id, pair.record_id, generation))
    marker = Marker(target.workspace_id, pair.record_id, remote_id)
    push = {**_noted(pair), **decision.push, **written_beside(pair, decision.push)}
    return Operation(pair.key, verb, kind, remote_id, push, marker=marker, link=link), generation


def _with_companions(pair: Pair, push: Fields) -> Fields:
    """Returns the fields to write, and those that make sense only together with them, as they are there."""
    names = list(pair.kind.together) if push.keys() & set(pair.kind.together) else []
    names += [name for pushed, carried in pair.kind.carries.items() if pushed in push for name in carried]
    return {**{name: pair.seen[name] for name in names if pair.seen and name in pair.seen}, **push}


def _noted(pair: Pair) -> Fields:
    """Returns what is never compared, as FieldCamp has it: books are told the tax that we came to."""
    ours = pair.local.fields or {}
    noted = {name: ours.get(name) for name in pair.kind.noted}
    return noted | {name: ours[name] for name in pair.kind.told if name in ours}
