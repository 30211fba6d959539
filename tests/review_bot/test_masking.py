"""Masking every text of a change without moving a line."""

from __future__ import annotations

import json
import re

import pytest

from review_bot.change import Change, ChangedFile, Guideline, Hunk, change_to_json
from review_bot.masking import mask_change
from review_bot.patch import apply_hunks

KEY = "-----BEGIN KEY-----\nMIIsecret\nMIIsecret2\n-----END KEY-----\n"


def mask(text: str) -> str:
    """Masks tokens, and the lines of a key between its first and last line."""
    text = re.sub(r"token-\w+", "[masked]", text)
    between = re.compile(r"(?<=-BEGIN KEY-----\n).*?(?=-----END)", re.DOTALL)
    return between.sub(lambda found: "[masked]\n" * found[0].count("\n"), text)


def test_every_text_is_masked_and_the_hunks_still_fit() -> None:
    base = "a = 'token-base'\nb = 1\n" + KEY + "c = 1\n"
    head = "a = 'token-head'\nb = 1\n" + KEY.replace("secret2", "secret3") + "c = 1"
    hunks = (
        Hunk(1, 2, 1, 2, "token-heading", "-a = 'token-base'\n+a = 'token-head'\n b = 1\n"),
        Hunk(4, 2, 4, 2, "", " MIIsecret\n-MIIsecret2\n+MIIsecret3\n"),
        Hunk(7, 1, 7, 1, "", "-c = 1\n+c = 1\n\\ No newline at end of file\n"),
    )
    assert apply_hunks(base, hunks) == head
    change = Change(
        "", "", (ChangedFile("a.py", "modified", hunks, base_text=base, head_text=head),),
        guidelines=(Guideline("AGENTS.md", "token-guideline"),), title="token-title",
        description="x\ntoken-text",
    )  # fmt: skip
    masked = mask_change(change, mask)
    assert not re.search(r"token-|secret", json.dumps(change_to_json(masked)))
    file = masked.files[0]
    assert file.base_text is not None
    assert apply_hunks(file.base_text, file.hunks) == file.head_text == mask(head)
    assert [hunk.body.count("\n") for hunk in file.hunks] == [hunk.body.count("\n") for hunk in hunks]
    assert (masked.title, masked.description) == ("[masked]", "x\n[masked]")


def test_a_key_in_a_bare_patch_is_seen_without_its_diff_marks() -> None:
    body = "".join(f"+{line}\n" for line in KEY.splitlines()) + " same\n-token-old\n"
    masked = mask_change(Change("", "", (ChangedFile("a", "modified", (Hunk(1, 2, 1, 5, "", body),)),)), mask)
    assert masked.files[0].hunks[0].body == (
        "+-----BEGIN KEY-----\n+[masked]\n+[masked]\n+-----END KEY-----\n same\n-[masked]\n"
    )


def test_a_mask_that_moves_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="number of lines"):
        mask_change(Change("", "", (), title="a\nb"), lambda text: text.replace("\n", " "))
