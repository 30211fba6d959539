"""Where two sides' runs of one program differ, as far as each side repeats itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_moa.proof.behaviour import OTHER, RAISES, TEXT_ONLY, WORSE, Differs
from pytest_moa.proof.texts import masked

Details = Mapping[str, Any]

#: What `pytest.raises` raises where nothing is raised; pytest gives it this name.
NOT_RAISED = "builtins.Failed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place. `fact` is base's observation there, as `told` gives it; None where base raised."""

    differs: Differs
    fact: Mapping[str, Any] | None
    rank: int
    base: str  #: what base showed, for people
    head: str

    @property
    def can_be_written(self) -> bool:
        """Whether a test can say what base showed, as far as that is known."""
        return self.fact is None or bool(self.fact["source"])

    @property
    def kind(self) -> tuple[str, ...]:
        """What a smaller program must still show to stand for this one."""
        error = self.head.partition(":")[0] if self.differs in ("exception", "time") else ""
        return (self.differs, error, str(self.rank))


def differences(base: Sequence[Details], head: Sequence[Details]) -> list[Difference]:
    """Differences between runs of one program, the best to show first; several runs of each side."""
    first, other = base[0], head[0]
    if any(one.get("refused") for one in (*base, *head)):
        return []
    if any(one["late"] != first["late"] for one in base) or any(one["late"] != other["late"] for one in head):
        return []
    if first["late"] or other["late"]:
        return [_late(first, other)] if first["late"] != other["late"] else []
    if any(one.get("crashed", False) for one in base) or any(one.get("crashed", False) for one in head):
        return []
    found: list[Difference] = []
    if _repeats(base, _error_of) and _repeats(head, _error_of):
        found += _errors(first, other)
    if first["error"] is None or other["error"] is None or found:
        found += _facts(base, head, raised=bool(found))
    elif first["error"]:
        found += _facts(base, head, raised=False)
    if not found and _repeats(base, _output) and _repeats(head, _output):
        found += _texts(first, other)
    return sorted(found, key=lambda one: -one.rank)


def _repeats(runs: Sequence[Details], part: Any) -> bool:
    return all(part(one) == part(runs[0]) for one in runs)


def _output(one: Details) -> tuple[Any, Any]:
    return one["output"], tuple(one["warned"])


def _error_of(one: Details) -> tuple[str, str]:
    error = one["error"]
    return ("", "") if error is None else (error["kind"], masked(error["message"]) if error["told"] else "")


def error_text(error: Mapping[str, Any]) -> str:
    """An exception as people write it."""
    kind = str(error["kind"]).removeprefix("builtins.")
    if error["kind"] == NOT_RAISED:
        return "nothing is raised"
    return f"{kind}: {masked(error['message'])}" if error["message"] else kind


def _late(first: Details, other: Details) -> Difference:
    def words(one: Details) -> str:
        return "does not end" if one["late"] else shown(one)

    fact = _last_value(first)
    return Difference("time", fact, RAISES if other["late"] else OTHER, words(first), words(other))


def shown(one: Details) -> str:
    """What one side did, for people."""
    if one["error"] is not None:
        return error_text(one["error"])
    fact = _last_value(one)
    return str(fact["source"] or fact["text"]) if fact else ""


def _last_value(one: Details) -> Mapping[str, Any] | None:
    facts: Sequence[Mapping[str, Any]] = one.get("facts", ())
    found = [fact for fact in facts if fact["part"] in ("value", "assigned", "left", "test")]
    if not found:
        return None
    last = found[-1]["at"]
    whole = [fact for fact in found if fact["at"] == last]
    return next((fact for fact in whole if fact["path"] == "{}"), whole[0])


def _errors(first: Details, other: Details) -> list[Difference]:
    was, now = _error_of(first), _error_of(other)
    if was == now:
        return []
    if first["error"] is None:
        rank = OTHER if now[0] == NOT_RAISED else RAISES
        return [Difference("exception", _last_at_error(first, other), rank, shown(first), shown(other))]
    if other["error"] is None:
        return [Difference("exception", None, OTHER, shown(first), shown(other))]
    rank = WORSE if was[0] != now[0] else TEXT_ONLY
    rank = RAISES if was[0] == NOT_RAISED else rank
    return [Difference("exception", None, rank, shown(first), shown(other))]


def _last_at_error(first: Details, other: Details) -> Mapping[str, Any] | None:
    """What base showed where head raised: its first observation that head has not made."""
    seen = {(fact["at"], fact["part"]) for fact in other["facts"]}
    facts: Sequence[Mapping[str, Any]] = first["facts"]
    missing = [fact for fact in facts if (fact["at"], fact["part"]) not in seen]
    if not missing:
        return None
    at = missing[0]["at"]
    whole = [fact for fact in missing if fact["at"] == at]
    return next((fact for fact in whole if fact["path"] == "{}"), whole[0])


def _facts(base: Sequence[Details], head: Sequence[Details], *, raised: bool) -> list[Difference]:
    found = []
    shown_at = [_by_place(one) for one in base], [_by_place(one) for one in head]
    for place, fact in shown_at[0][0].items():
        was = {one[place]["digest"] if place in one else "" for one in shown_at[0]}
        now = {one[place]["digest"] if place in one else "" for one in shown_at[1]}
        if len(was) != 1 or len(now) != 1 or was == now:
            continue
        other = shown_at[1][0].get(place)
        if other is None and (raised or not _object_there(place, shown_at[1][0])):
            continue
        part, path = place[1], place[2]
        differs: Differs = "result"
        if part.startswith("argument ") or place[0] == -1:
            differs = "arguments"
        textual = path.startswith(("str(", "repr(", "type(")) or part == "raised"
        rank = TEXT_ONLY + 5 if textual else OTHER
        head_text = str(other["source"] or other["text"]) if other is not None else "not there"
        found.append(Difference(differs, fact, rank, str(fact["source"] or fact["text"]), head_text))
    return found


def _by_place(one: Details) -> dict[tuple[int, str, str, int], Mapping[str, Any]]:
    found: dict[tuple[int, str, str, int], Mapping[str, Any]] = {}
    for fact in one["facts"]:
        count = 0
        while (place := (fact["at"], fact["part"], fact["path"], count)) in found:
            count += 1
        found[place] = fact
    return found


def _object_there(place: tuple[int, str, str, int], facts: Mapping[tuple[int, str, str, int], Any]) -> bool:
    """Whether the other side saw that value at all, only not that part of it."""
    return any(one[0] == place[0] and one[1] == place[1] and one[3] == place[3] for one in facts)


def _texts(first: Details, other: Details) -> list[Difference]:
    if first["output"] != other["output"]:
        return [Difference("output", None, OTHER, first["output"], other["output"])]
    if first["warned"] != other["warned"]:
        more = [one for one in other["warned"] if one not in first["warned"]]
        same = {one.partition(":")[0] for one in first["warned"]} == {
            one.partition(":")[0] for one in other["warned"]
        }
        rank = TEXT_ONLY if same or not more else OTHER
        return [Difference("warnings", None, rank, "; ".join(first["warned"]), "; ".join(other["warned"]))]
    return []
