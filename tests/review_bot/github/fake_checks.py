"""Check runs and code scanning of the fake."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from typing import Any

from tests.review_bot.github import fake_diff
from tests.review_bot.github.fake_model import Check, Json
from tests.review_bot.github.fake_rules import Call, Problem, fields, find, invalid, route
from tests.review_bot.github.fake_state import State

_CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out")


@route("GET", "/commits/{x}/check-runs", "checks:read")
def check_runs(state: State, call: Call, sha: str) -> tuple[int, Any]:
    found = [check for check in state.checks.values() if check.head_sha == sha]
    if name := call.query.get("check_name"):
        found = [check for check in found if check.name == name]
    if call.query.get("filter", "latest") == "latest":
        # docs: checks/runs, filter: by default only the most recent of each name.
        found = list({(check.name, check.by): check for check in found}.values())
    return 200, {"total_count": len(found), "check_runs": [_show(check) for check in found]}


@route("POST", "/check-runs", "checks:write")
def create(state: State, call: Call) -> tuple[int, Any]:
    _apps_only(call)
    data = fields(
        call.data, {"name": str, "head_sha": str}, {"external_id": str, "status": str, "output": dict}
    )
    if not fake_diff.commit(state.bare, data["head_sha"]):
        raise invalid(message=f"No commit found for SHA: {data['head_sha']}")
    check = Check(
        state.new_id(),
        data["name"],
        data["head_sha"],
        data.get("external_id") or "",
        call.token.login,
        "queued",
        None,
        {},
    )
    _update(check, data)
    state.checks[check.id] = check
    return 201, _show(check)


@route("PATCH", "/check-runs/{n}", "checks:write")
def update(state: State, call: Call, id: str) -> tuple[int, Any]:
    _apps_only(call)
    check = find(state.checks, id)
    if check.by != call.token.login:
        # seen: "Invalid app_id ... - check run can only be modified by the GitHub App that created it."
        raise Problem(
            403, "Invalid app_id `1` - check run can only be modified by the GitHub App that created it."
        )
    _update(check, fields(call.data, {}, {"status": str, "output": dict}))
    return 200, _show(check)


def _apps_only(call: Call) -> None:
    if call.token.kind == "personal":
        # docs: checks: "write permission for the REST API to interact with checks is only available to
        # GitHub Apps."
        raise Problem(403, "You must authenticate via a GitHub App.")


def _update(check: Check, data: Json) -> None:
    conclusion, status = data.get("conclusion"), data.get("status")
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise invalid(message=f"Invalid request.\n\n{conclusion} is not a conclusion.")
    if status == "completed" and not (conclusion or check.conclusion):
        # docs: checks/runs, conclusion: "Required if you provide a status of completed."
        raise invalid(message="Invalid request.\n\nMissing conclusion.")
    output = data.get("output")
    if output is not None:
        # docs: checks/runs, output: title and summary are required.
        fields(output, {"title": str, "summary": str}, {"text": str, "annotations": list})
        for key in ("summary", "text"):
            if len(output.get(key) or "") > 65_535:
                # docs: checks/runs: "Maximum length: 65535 characters."
                raise invalid(
                    message=f"Invalid request.\n\nOnly 65535 characters are allowed; {key} has more."
                )
        notes = output.get("annotations") or []
        if len(notes) > 50:
            # docs: checks/runs: "limits the number of annotations to a maximum of 50 per API request".
            raise invalid(message="Invalid request.\n\nNo more than 50 items are allowed in annotations.")
        for note in notes:
            _annotation(note)
        check.output = {key: output[key] for key in ("title", "summary", "text") if key in output}
        # docs: checks/runs: "annotations are appended to the list of annotations that already exist".
        check.annotations += notes
    # docs: "Providing conclusion will automatically set the status parameter to completed."
    check.status = "completed" if conclusion else status or check.status
    check.conclusion = conclusion or check.conclusion


def _annotation(data: Any) -> None:
    required = {"path": str, "start_line": int, "end_line": int, "annotation_level": str, "message": str}
    note = fields(data, required, {"title": str, "start_column": int, "end_column": int, "raw_details": str})
    if note["annotation_level"] not in ("notice", "warning", "failure"):
        raise invalid(message="Invalid request.\n\nannotation_level is not one of notice, warning, failure.")
    if len(note["message"].encode()) > 65_536 or len(note.get("title") or "") > 255:
        # docs: annotations: message at most 64 KB, title at most 255 characters.
        raise invalid(message="Invalid request.\n\nAn annotation is too long.")
    if note["start_line"] > note["end_line"] or note["start_line"] < 1:
        raise invalid(message="Invalid request.\n\nstart_line must not be after end_line.")
    if note["start_line"] != note["end_line"] and ("start_column" in note or "end_column" in note):
        # docs: annotations: columns only on a single line.
        raise invalid(message="Invalid request.\n\nColumns are only for annotations of one line.")


def _show(check: Check) -> Json:
    return {
        "id": check.id,
        "name": check.name,
        "head_sha": check.head_sha,
        "external_id": check.external_id,
        "status": check.status,
        "conclusion": check.conclusion,
        "output": {**check.output, "annotations_count": len(check.annotations)},
    }


@route("POST", "/code-scanning/sarifs", "security_events:write")
def upload(state: State, call: Call) -> tuple[int, Any]:
    data = fields(call.data, {"commit_sha": str, "ref": str, "sarif": str}, {})
    if not state.code_scanning:
        # seen: private repositories without it.
        raise Problem(403, "Code scanning is not enabled for this repository.")
    # docs: code-scanning, ref: "refs/heads/<branch>, refs/pull/<number>/merge, refs/pull/<number>/head".
    if not data["ref"].startswith(("refs/heads/", "refs/tags/", "refs/pull/")):
        raise Problem(400, f"ref {data['ref']} is not fully qualified")
    if len(data["commit_sha"]) != 40 or not fake_diff.commit(state.bare, data["commit_sha"]):
        raise Problem(400, "commit_sha is not a commit")
    try:
        # docs: code-scanning, sarif: gzip, then Base64.
        packed = base64.b64decode(data["sarif"], validate=True)
        sarif = json.loads(gzip.decompress(packed))
    except (binascii.Error, OSError, EOFError, ValueError) as error:
        raise Problem(400, "sarif is not gzipped and Base64-encoded JSON") from error
    if len(packed) > 10_000_000:
        # docs: code-scanning: 10 MB once compressed.
        raise Problem(413, "Payload too large")
    state.sarifs.append({"commit_sha": data["commit_sha"], "ref": data["ref"], "sarif": sarif})
    id = f"47177e22-5596-11eb-80a1-{len(state.sarifs):012d}"
    return 202, {"id": id, "url": f"{state.base_url}{call.path}/{id}"}
