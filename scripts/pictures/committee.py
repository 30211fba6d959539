"""Three members whose words are scripted, so that pictures come out the same without a key or a model.

All else in the pictures is real: prompts, votes, proofs, records. Members answer what they are asked for,
known by the schema that comes with the question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.scripted_endpoint import Scripted, ScriptedEndpoint

RATES, SHIPMENTS = "src/parcels/rates.py", "src/parcels/shipments.py"


class Member(NamedTuple):
    """A model of the endpoint, and how long it thinks."""

    model: str
    seconds: float


MEMBERS = {
    "qwen": Member("qwen3-coder-30b", 2.1),
    "llama": Member("llama-3.3-70b", 4.4),
    "mistral": Member("devstral-small", 3.2),
}


def _finding(path: str, quote: str, title: str, body: str, **more: str) -> dict[str, str]:
    return {
        "path": path, "quote": quote, "title": title, "body": body, "severity": "major", "category": "bug",
        "suggestion": "", "call": "", **more,
    }  # fmt: skip


#: What each one finds on its own.
FOUND = {
    "qwen": [
        _finding(
            RATES,
            "        if parcel.weight < limit:",
            "A parcel of exactly 1, 5 or 20 kg costs too much or is refused",
            "The guidelines say that weight limits are inclusive. With `<`, 5,000 g falls into the bracket "
            "of 20 kg, and 20,000 g into none.",
            suggestion="        if parcel.weight <= limit:",
            call="price(Parcel(20000))",
        ),
        _finding(
            SHIPMENTS,
            """        rows = self.db.execute(f"SELECT ref FROM shipment WHERE status LIKE '%{text}%'")""",
            "Text of a search becomes part of the SQL",
            "A quote in `text` ends the pattern, and what follows is run. The guidelines ask for parameters.",
            category="security",
            suggestion='        rows = self.db.execute("SELECT ref FROM shipment WHERE status LIKE ?", '
            '(f"%{text}%",))',
        ),
    ],
    "llama": [
        _finding(
            RATES,
            "    return sum(price(parcel) for parcel in counted) // len(counted)",
            "average() divides by zero when no parcel is left",
            "Before, no parcels gave 0. Now an empty list, or one whose parcels are all skipped, raises "
            "ZeroDivisionError.",
            suggestion="    return sum(map(price, counted)) // len(counted) if counted else 0",
            call="average([])",
        ),
    ],
    "mistral": [
        _finding(
            RATES,
            "        if parcel.weight < limit:",
            "A parcel at exactly a weight limit is charged the next bracket",
            "`<=` became `<`; the limits of BRACKETS are inclusive.",
            call="price(Parcel(20000))",
        ),
        _finding(
            SHIPMENTS,
            'subprocess.run(f"pg_restore --dbname {ARCHIVE} {folder}/shipments.dump", shell=True)',
            "export() has no time limit",
            "An archive that does not answer blocks the caller for ever.",
            severity="minor",
        ),
    ],
}

#: What they think of others' findings: words of the finding, who, position, why.
STANCES = [
    ("exactly", "llama", "agree", "BRACKETS holds inclusive limits, and AGENTS.md says so."),
    ("exactly", "qwen", "agree", "`parcel.weight < limit` leaves out the limit itself."),
    ("exactly", "mistral", "agree", "`<=` became `<`."),
    ("divides by zero", "qwen", "agree", "len(counted) is 0 for an empty list."),
    ("divides by zero", "mistral", "agree", "The guard `if not parcels` was removed."),
    ("SQL", "llama", "agree", "The f-string puts `text` between the quotes."),
    ("SQL", "mistral", "agree", "The f-string puts `text` between the quotes."),
    ("time limit", "llama", "dispute", "It is run from a nightly job, which has a limit of its own."),
]  # fmt: skip

#: What they say of differences that both versions showed: words of the input, judgement, each one's why.
JUDGED = [
    ("insured", "intended", dict.fromkeys(MEMBERS, "The author says that insurance is called cover now.")),
    ("average", "regression", {
        "qwen": "The removed docstring promises 0 for no parcels.",
        "llama": "The author says nothing about empty lists.",
        "mistral": "The guard `if not parcels` is gone.",
    }),
    ("price", "regression", {
        "qwen": "AGENTS.md says that weight limits are inclusive.",
        "llama": "Nothing in the author's words explains another price.",
        "mistral": "BRACKETS did not change, and `<=` became `<`.",
    }),
    ("", "intended", dict.fromkeys(MEMBERS, "It is what the author's title says.")),
]  # fmt: skip

#: How prompts name a finding.
_FINDING = re.compile(r"(?m)^\[([0-9a-f]{8})\] \S+?: (.*)")


def answered(request: Any) -> Scripted:
    """What the member whose model is asked says, after its time, with a bill."""
    name = next(name for name, member in MEMBERS.items() if member.model == request["model"])
    asked = request["response_format"]["json_schema"]["schema"]["properties"]
    said = "\n".join(message["content"] for message in request["messages"])
    answer: dict[str, Any] = {"findings": []}
    if "judgements" in asked:
        answer = {"judgements": list(_judgements(name, said))}
    elif "decisions" in asked:
        answer = {"decisions": list(_decisions(said)), "new": []}
    elif "stances" in asked:
        answer["stances"] = list(_stances(name, said))
    elif "findings" in asked:
        answer["findings"] = [one for one in FOUND[name] if one["quote"] in _without_signs(said)]
    text = json.dumps(answer)
    usage = {"prompt_tokens": len(said) // 4, "completion_tokens": len(text) // 4}
    return Scripted(text, latency=MEMBERS[name].seconds, usage=usage)


def _without_signs(diff: str) -> str:
    return re.sub(r"(?m)^[+ ]", "", diff)


def _stances(name: str, said: str) -> Iterator[dict[str, str]]:
    for id, title in _FINDING.findall(said):
        for words, who, position, why in STANCES:
            if who == name and words in title:
                yield {"id": id, "position": position, "why": why}


def _decisions(said: str) -> Iterator[dict[str, Any]]:
    """What the tool and a member say of the query is one thing; all else stays as it is."""
    same = [id for id, title in _FINDING.findall(said) if "SQL" in title]
    if len(same) > 1:
        yield {"ids": same, "verdict": "merged", "reason": "Both are about the query of search()."}


def _judgements(name: str, said: str) -> Iterator[dict[str, str]]:
    for id, call in re.findall(r"(?m)^\[([0-9a-f]{8})\] in .*\n  > (.*)", said):
        judgement, why = next((what, why) for words, what, why in JUDGED if words in call)
        yield {"id": id, "judgement": judgement, "why": why[name]}


def configuration(endpoint: ScriptedEndpoint) -> str:
    """A `moa.toml` with these members at that endpoint."""
    members = "".join(
        f'[members.{name}]\nmodel = "{member.model}"\nbase_url = "{endpoint.base_url}"\n'
        "price = { input = 0.2, output = 0.8 }\n"
        for name, member in MEMBERS.items()
    )
    return f'layers = 3\naggregator = "qwen"\n[stragglers]\nhedge = false\n{members}'
