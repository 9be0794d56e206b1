"""How far a list was read, through pages, interruptions and what is new since."""

from datetime import UTC, datetime, timedelta

from vpemetrics.collectors.github.cursor import (
    OVERLAP,
    GitHubCursor,
    HistoryProgress,
    HistoryWalk,
    ListGap,
    ListProgress,
    OpenItem,
    RunAttempts,
    SeenCommits,
    parse_cursor,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def new(now: datetime) -> ListProgress:
    return ListProgress(start=START, end=now, settings="s", size=50).reopen(now)


def test_at_first_all_from_the_start_is_a_gap() -> None:
    progress = new(day(50))

    assert progress.gaps == (ListGap(top=day(50), reached=day(50), down_to=START - OVERLAP),)
    assert progress.span is None


def test_pages_cover_from_the_newest_down() -> None:
    progress = new(day(50)).advance(day(40), "c1", day(49))
    assert progress.span == (day(40), day(50))

    done = progress.advance(day(20), None, day(39))
    assert done.gaps == ()
    assert done.span == (START, day(50))
    assert done.newest == day(49)


def test_a_page_behind_the_start_ends_a_gap() -> None:
    assert new(day(50)).advance(day(-3), "more", day(49)).gaps == ()


def test_what_is_new_is_read_from_a_little_before_the_newest() -> None:
    done = new(day(50)).advance(day(20), None, day(49))

    (gap,) = done.reopen(day(60)).gaps
    assert (gap.top, gap.down_to, gap.after) == (day(60), day(49) - OVERLAP, None)


def test_a_clock_ahead_of_github_misses_nothing() -> None:
    ahead = new(day(50)).advance(None, None, day(30))  # the newest is as GitHub tells it

    (gap,) = ahead.reopen(day(60)).gaps
    assert gap.down_to <= day(30)


def test_a_clock_behind_github_misses_nothing() -> None:
    behind = new(day(50)).advance(None, None, day(55))

    (gap,) = behind.reopen(day(60)).gaps
    assert gap.down_to <= day(50)


def test_an_interrupted_gap_waits_behind_what_is_new() -> None:
    half = new(day(50)).advance(day(40), "c1", day(49))

    fresh, older = half.reopen(day(60)).gaps
    assert (fresh.after, fresh.down_to) == (None, day(49) - OVERLAP)
    assert (older.after, older.reached) == ("c1", day(40))


def test_a_gap_that_was_not_begun_grows() -> None:
    later = new(day(50)).reopen(day(60))

    assert later.gaps == (ListGap(top=day(60), reached=day(60), down_to=START - OVERLAP),)


def test_a_look_that_shows_the_same_is_quiet() -> None:
    done = new(day(50)).advance(day(20), None, day(49))
    told = ListProgress(**{**vars(done), "sign": "same"})

    assert told.is_quiet("same", day(49), "s")
    assert not told.is_quiet("other", day(49), "s")
    assert not told.is_quiet("same", day(49), "other settings")
    # In the second in which it was read, something may have been written after the reading.
    assert not told.is_quiet("same", day(50), "s")
    assert not told.reopen(day(60)).is_quiet("same", day(49), "s")


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = GitHubCursor(
        id="R_1",
        known="acme/shop",
        name="acme/store",
        asked=None,
        begin=START,
        branch="main",
        lists={"pull requests": new(day(50)).advance(day(40), "c1", day(49))},
        history=HistoryProgress(
            cut=START,
            end=day(50),
            settings="s",
            size=100,
            tip="a" * 40,
            walks=(HistoryWalk(tip="a" * 40, after="x", pending=("b" * 40,)),),
        ),
        open={"DE_1": OpenItem(kind="Deployment", created_at=day(3), updated_at=day(4))},
        open_runs={"7": day(5)},
        attempts={"7": RunAttempts(count=2, created_at=day(5))},
        looked_back_at=day(50),
        services=("cart",),
    )

    assert parse_cursor(cursor.to_json()) == cursor


def test_what_is_no_cursor_is_none() -> None:
    assert [parse_cursor(text) for text in (None, "", "abc", "{}", "[]")] == [None] * 5


def test_seen_commits_are_kept_in_few_digits() -> None:
    seen = SeenCommits()
    seen.add(["a" * 40, "b" * 40])

    again = SeenCommits(seen.to_text())
    assert "a" * 40 in again
    assert "c" * 40 not in again
    assert len(seen.to_text()) == 24


def test_cursors_in_stores_of_older_versions_are_still_read() -> None:
    text = (
        '{"id":"R_1","known":"acme/shop","name":"acme/store","asked":null,'
        '"begin":"2026-01-01T00:00:00Z","branch":"main","lists":{"tags":{'
        '"start":"2026-01-01T00:00:00Z","end":"2026-02-20T00:00:00Z","settings":"s","size":50,'
        '"gaps":[{"top":"2026-02-20T00:00:00Z","reached":"2026-02-10T00:00:00Z",'
        '"down_to":"2026-01-01T00:00:00Z","after":"c1"}],"newest":"2026-02-19T00:00:00Z"}},'
        '"history":{"cut":"2026-01-01T00:00:00Z","end":"2026-02-20T00:00:00Z","settings":"s",'
        '"size":100,"tip":"aaa","walks":[{"tip":"aaa","after":"x","pending":["bbb"]}]},'
        '"open":{"DE_1":{"kind":"Deployment","created_at":"2026-01-04T00:00:00Z",'
        '"updated_at":"2026-01-05T00:00:00Z"}},"open_runs":{"7":"2026-01-06T00:00:00Z"},'
        '"attempts":{"7":{"told":2,"created_at":"2026-01-06T00:00:00Z"}},'
        '"looked_back_at":"2026-02-20T00:00:00Z","services":["cart"]}'
    )
    cursor = parse_cursor(text)

    assert cursor
    assert cursor.to_json() == text
    assert cursor.lists["tags"].gaps[0].after == "c1"
