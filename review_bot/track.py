"""Members' track records: how much each one's word counts in a review, and what readers are told of it.

`moa bench --write` measures them and writes them into the configuration; without that, every voice counts
as one, and nothing is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from review_bot.standing import Voice

if TYPE_CHECKING:
    from moa_engine.member import Member
    from review_bot.settings import ReviewSettings, TrackRecord


def voices_of(members: Mapping[str, Member], settings: ReviewSettings) -> dict[str, Voice]:
    """What counts of each member, with its track record where the settings have one."""
    voices = {name: Voice.of(member) for name, member in members.items()}
    for name, record in settings.track.items():
        if name in voices and not voices[name].deterministic:
            voices[name] = replace(voices[name], weight=record.weight, track=words_of(record))
    return voices


def words_of(record: TrackRecord) -> str:
    """A track record for readers of a review."""
    when = f", {record.measured}" if record.measured else ""
    return (
        f"named {record.recall:.0%} of the defects and was right in {record.precision:.0%} of what it "
        f"accused ({record.hunks} hunks of a bench{when}); its word counts {record.weight:g}"
    )
