"""Made-up records of every kind: one of each to read, and strategies for any of them."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from vpemetrics.records import (
    AnyRecord,
    AuditEntry,
    AuthorKind,
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Repository,
    Run,
    Sourced,
    Status,
    Triage,
    Verdict,
)

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
SHA = "a" * 40

ONE_OF_EACH: list[AnyRecord] = [
    Repository(id="R1", name="acme/shop", aliases=("acme/store", "a;b"), default_branch="main"),
    Commit(
        sha=SHA,
        repository="acme/shop",
        parents=("b" * 40, "c" * 40, "d" * 40),
        authored_at=NOON,
        committed_at=NOON + timedelta(microseconds=1),
        author="h:0011223344556677",
        author_kind=AuthorKind.PERSON,
        marks=("Claude", "Qwen Code"),
        reverts_sha=("e" * 64,),
        picked_from_sha="b" * 40,
        paths=("src/a;b.py", "back\\slash"),
    ),
    Change(
        id="acme/shop#1",
        repository="acme/shop",
        number=1,
        title='Say "hello"; then\nleave',
        author="h:8899aabbccddeeff",
        author_kind=AuthorKind.AUTOMATION,
        marks=("Codex",),
        created_at=NOON,
        merged_at=NOON + timedelta(hours=2),
        merge_commit_sha="c" * 40,
        commit_shas=("b" * 40, SHA),
        additions=0,
        deletions=3,
        labels=("bug", "naïve"),
        closes=("INC-1",),
    ),
    Deployment(
        id="D1",
        environment="production",
        status=Status.SUCCEEDED,
        service="shop",
        commit_sha=SHA,
        started_at=NOON,
        finished_at=NOON + timedelta(minutes=4),
        planned=True,
        rollback=False,
    ),
    Incident(
        id="INC-1",
        service=("shop", "till"),
        severity=2,
        customer_affecting=True,
        detected_at=NOON,
        cause_sha="aaaaaaa",
    ),
    Run(id="R-1", repository="acme/shop", outcome="success", attempt=2, commit_sha=SHA),
    Triage(
        record="INC-1",
        verdict=Verdict.LINK,
        when=NOON,
        cause="D1",
        restored_at=NOON,
        who="sam",
        why="saw it",
    ),
    AuditEntry(when=NOON, action="setting", subject="bots.authors", what="a → b", who="sam"),
    Coverage(
        source="made-up",
        scope="shop",
        kind=CoverageKind.DEPLOYMENTS,
        start=NOON,
        end=NOON + timedelta(days=7),
    ),
]

_texts = st.text(st.sampled_from("ab\"\n\r;\\ ,é\u2028\t'😀"), min_size=1, max_size=6)
_optional_texts = st.none() | _texts
_truths = st.none() | st.booleans()
_numbers = st.none() | st.integers(-(10**17), 10**17)
_moments = st.datetimes(
    datetime(1990, 1, 2),  # noqa: DTZ001 (hypothesis adds the zone)
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
)
_optional_moments = st.none() | _moments
_shas = st.integers(0, 30).map(lambda number: f"{number:040x}")
_sha_lists = st.lists(_shas, max_size=4, unique=True).map(tuple)
_kinds = st.none() | st.sampled_from(AuthorKind)
_lists = st.lists(_texts, max_size=3).map(tuple)


@st.composite
def commits(draw: st.DrawFn) -> Commit:
    """Commits whose parents have smaller shas, so that there is no cycle."""
    number = draw(st.integers(0, 30))
    parents = draw(st.lists(st.integers(0, max(number - 1, 0)), max_size=4, unique=True))
    return Commit(
        sha=f"{number:040x}",
        repository=draw(_texts),
        parents=tuple(f"{parent:040x}" for parent in parents if parent < number),
        authored_at=draw(_optional_moments),
        author=draw(_optional_texts),
        author_kind=draw(_kinds),
        marks=draw(_lists),
        reverts_sha=draw(st.lists(_shas, max_size=2).map(tuple)),
        paths=draw(st.none() | _lists),
    )


@st.composite
def coverages(draw: st.DrawFn) -> Coverage:
    start = draw(st.integers(0, 50))
    return Coverage(
        source=draw(_texts),
        scope=draw(_texts),
        kind=draw(st.sampled_from(CoverageKind)),
        start=NOON + timedelta(hours=start),
        end=NOON + timedelta(hours=start + draw(st.integers(1, 20))),
    )


any_record: st.SearchStrategy[AnyRecord] = st.one_of(
    st.builds(Repository, id=_texts, name=_texts, aliases=_lists, default_branch=_optional_texts),
    commits(),
    st.builds(
        Change,
        id=_texts,
        repository=_texts,
        number=_numbers,
        title=_optional_texts,
        author=_optional_texts,
        author_kind=_kinds,
        marks=_lists,
        merged_at=_optional_moments,
        commit_shas=_sha_lists,
        merge_commit_sha=st.none() | _shas,
        labels=_lists,
        reverts=_lists,
    ),
    st.builds(
        Deployment,
        id=_texts,
        environment=_texts,
        status=st.sampled_from(Status),
        service=_optional_texts,
        commit_sha=st.none() | _shas,
        version=_optional_texts,
        finished_at=_optional_moments,
        planned=_truths,
    ),
    st.builds(Incident, id=_texts, service=_lists, severity=_numbers, external=_truths),
    st.builds(Run, id=_texts, repository=_texts, outcome=_texts, attempt=_numbers),
    st.builds(
        Triage,
        record=_texts,
        verdict=st.sampled_from(Verdict),
        when=_moments,
        who=_optional_texts,
    ),
    st.builds(
        AuditEntry,
        when=_moments,
        action=_texts,
        subject=_optional_texts,
        what=_optional_texts,
        who=_optional_texts,
    ),
    coverages(),
)

any_sourced: st.SearchStrategy[Sourced] = st.tuples(_texts, any_record)
