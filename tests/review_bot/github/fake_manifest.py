"""GitHub's settings pages of the fake, where somebody who is logged in makes an App from a manifest."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from tests.review_bot.github.fake_apps import LEVELS, Apps, new_key
from tests.review_bot.github.fake_model import Json
from tests.review_bot.github.fake_rules import Problem

#: docs: webhooks: the permission without which an App cannot subscribe to an event.
_NEEDED = {"pull_request": "pull_requests", "issue_comment": "issues"}
_NEW = re.compile(r"(?:/organizations/([\w-]+))?/settings/apps/new")
_CONFIRMED = "/settings/apps/confirmed"


class Manifests:
    """Manifests on their way to be Apps."""

    def __init__(self, apps: Apps) -> None:
        self._apps = apps
        self._shown: dict[str, tuple[Json, str]] = {}
        self._codes: dict[str, tuple[Json, str]] = {}

    def page(self, method: str, target: str, body: bytes) -> tuple[int, dict[str, str], str] | None:
        """The page of the settings that a browser gets; None for what is none."""
        path, _, query = target.partition("?")
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if method == "POST" and (found := _NEW.fullmatch(path)):
            manifest = json.loads(form["manifest"])
            if faults := _faults(manifest):
                return 422, {}, "".join(f"<p>{escape(fault)}" for fault in faults)
            key = secrets.token_hex(8)
            self._shown[key] = manifest, found[1] or "ada"
            state = parse_qs(query).get("state", [""])[0]
            return 200, {}, (
                f'<h1>Create GitHub App</h1><form method="post" action="{_CONFIRMED}">'
                f'<input type="hidden" name="key" value="{key}">'
                f'<input type="hidden" name="state" value="{escape(state)}">'
                f'<input name="name" value="{escape(manifest.get("name", ""))}">'
                f"<button>Create GitHub App</button></form>"
            )  # fmt: skip
        if method == "POST" and path == _CONFIRMED:
            manifest, owner = self._shown.pop(form["key"])
            code = secrets.token_hex(20)
            self._codes[code] = {**manifest, "name": form["name"]}, owner
            where = f"{manifest['redirect_url']}?code={code}&state={quote(form['state'])}"
            return 302, {"location": where}, ""
        return None

    def convert(self, code: str) -> Json:
        """docs: apps, "Create a GitHub App from a manifest": once for each code."""
        if code not in self._codes:
            raise Problem(404, "Not Found")
        manifest, owner = self._codes.pop(code)
        app = self._apps.create(
            re.sub(r"\W+", "-", manifest["name"].lower()),
            owner,
            name=manifest["name"],
            permissions=manifest["default_permissions"],
            events=manifest["default_events"],
            webhook_secret=secrets.token_hex(20),
            hook_url=manifest["hook_attributes"]["url"],
            private_key=new_key(2),
        )
        return {
            **self._apps.show(app),
            "client_secret": secrets.token_hex(20),
            "webhook_secret": app.webhook_secret,
            "pem": app.private_key,
        }


def _faults(manifest: Mapping[str, Any]) -> list[str]:
    """docs: "Registering a GitHub App from a manifest"."""
    found = []
    if not urlsplit(manifest.get("url", "")).hostname:
        found.append("Homepage URL must be a valid URL")
    if not urlsplit(manifest.get("hook_attributes", {}).get("url", "")).hostname:
        found.append("Hook URL must be a valid URL")
    if not urlsplit(manifest.get("redirect_url", "")).hostname:
        found.append("Redirect URL must be a valid URL")
    if len(manifest.get("name", "")) > 34:
        found.append("Name is too long (maximum is 34 characters)")
    held = manifest.get("default_permissions", {})
    found += [f"{name}: {level} is no access" for name, level in held.items() if level not in LEVELS]
    for event in manifest.get("default_events", ()):
        if _NEEDED[event] not in held:
            found.append(f"Default events are not supported by permissions: {event}")
    return found
