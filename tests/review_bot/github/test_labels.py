from pathlib import Path

from moa_engine.record import Record
from review_bot.github.labels import Label, dismissals, put_down, remembered, thumbs
from review_bot.github.marker import Marker, write_marker
from review_bot.github.model import Reaction
from tests.review_bot.github.posts import BOT, Said, finding_comment

WRITERS = {"ada", "bob"}
TOLD = Said(BOT, write_marker(Marker("review", "run-1", "", ("aaaa00000001", "bbbb00000001/8/2/ab"))))


def may(login: str) -> bool:
    return login in WRITERS


def test_thumbs_of_people_who_may_write_are_labels() -> None:
    comment = finding_comment("aaaa00000001/8/2/ab.cd", reactions={"+1": 3, "-1": 1, "heart": 1})
    given = [
        Reaction("ada", "+1"),
        Reaction("bob", "-1"),
        Reaction("mallory", "+1"),
        Reaction(BOT, "+1"),
        Reaction("ada", "heart"),
    ]
    assert list(thumbs([comment], BOT, lambda _: given, may)) == [
        Label("aaaa00000001", "run-1", "ada", useful=True),
        Label("aaaa00000001", "run-1", "bob", useful=False),
    ]


def test_only_comments_with_thumbs_are_asked_about() -> None:
    asked: list[int] = []

    def reactions(comment: int) -> list[Reaction]:
        asked.append(comment)
        return []

    comments = [
        finding_comment("aaaa00000001"),
        finding_comment("aaaa00000002", reactions={"eyes": 1}),
        finding_comment("aaaa00000003", author="mallory", reactions={"+1": 9}),
        wanted := finding_comment("aaaa00000004", reactions={"-1": 1}),
    ]
    assert list(thumbs(comments, BOT, reactions, may)) == []
    assert asked == [wanted.id]


def test_dismissals_are_read_from_the_comments_of_people_who_may_write() -> None:
    posts = [
        TOLD,
        Said("bob", "/dismiss aaaa callers hold the lock"),
        Said("mallory", "/dismiss bbbb00000001 I am the author"),
        Said("ada", "> /dismiss bbbb00000001 quoted"),
        Said("ada", "/dismiss cccc00000001 no such finding"),
        Said(BOT, "/dismiss bbbb00000001 said by ourselves"),
    ]
    assert dismissals(posts, BOT, may) == {
        "aaaa00000001": Label("aaaa00000001", "run-1", "bob", useful=False, why="callers hold the lock")
    }


def test_findings_that_only_a_forged_marker_knows_cannot_be_dismissed() -> None:
    forged = Said("mallory", TOLD.body)
    assert dismissals([forged, Said("bob", "/dismiss aaaa00000001 why")], BOT, may) == {}


def test_labels_are_events_of_the_run_that_read_them(tmp_path: Path) -> None:
    label = Label("aaaa00000001", "run-1", "bob", useful=False, why="intended")
    with Record(tmp_path / "record.sqlite") as record:
        nothing: dict[str, object] = {}
        record.start_run(
            run="run-2",
            key="k",
            task="review",
            committee="",
            payload=nothing,
            plan=nothing,
            seed=0,
            version="1",
        )
        record.finish_run("run-2", status="complete", result="{}", outcome="{}")
        put_down(record, "run-2", [label])
        record.flush()
        [event] = record.run("run-2").events
        assert (event.kind, event.data["finding"], event.data["why"]) == ("label", "aaaa00000001", "intended")
        assert record.run("run-2").status == "complete"
        assert record.verify().ok


def test_everybody_is_asked_about_once() -> None:
    asked: list[str] = []

    def slow(login: str) -> bool:
        asked.append(login)
        return may(login)

    known = remembered(slow)
    assert [known(login) for login in ("ada", "mallory", "ada", "mallory")] == [True, False, True, False]
    assert asked == ["ada", "mallory"]
