"""Configurations with anything in them: refused with a reason and in no time, or in force."""

from pathlib import Path
from random import Random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.config.load import load
from vpemetrics.config.secrets import is_literal, mask
from vpemetrics.errors import FixConfiguration, VpemetricsError
from vpemetrics.lineage.services import path_matcher
from vpemetrics.patterns import Pattern

pytestmark = pytest.mark.slow

GITOPS = '[sources.live]\ntype = "gitops"\nenvironment = "live"\nsubject = \'{}\'\n'
ENDLESS = {
    "lists": "a = " + "[" * 5_000,
    "whole lists": f"a = {'[' * 300}{']' * 300}",
    "tables": "a = " + "{a=" * 5_000,
    "parts of a key": "a." * 20_000 + "a = 1\n",
    "quoted parts of a key": '"a" . ' * 20_000 + "a = 1\n",
    "parts of a name": f"[{'a.' * 20_000}a]\n",
    "parts inside": f"a = {{{'a.' * 20_000}a = 1}}\n",
    "tables in tables": "".join(f"[{'.'.join('abcdefghij'[:n])}]\n" for n in range(1, 11))
    + "a = {b={c={d={e={f={g={h={i={j={k=1}}}}}}}}}}\n",
    "digits": "a = " + "9" * 10_000,
    "unknown tables": "".join(f"[t{number}]\n" for number in range(20_000)),
    "unknown settings": "".join(f"k{number} = 1\n" for number in range(20_000)),
    "services without a name": "[[service]]\n" * 20_000,
    "targets of nobody": "".join(f'[[service]]\nname = "s{number}"\n' for number in range(2_000))
    + '[[target]]\nscope = "service:s"\n' * 2_000,
    "lines of a value": "a = [\n" + "1,\n" * 20_000 + "]\n",
    "letters": f'a = "{"x" * 2_000_000}"',
}


@pytest.mark.parametrize("what", ENDLESS)
def test_no_configuration_takes_long_to_refuse(what: str, tmp_path: Path) -> None:
    path = tmp_path / "vpemetrics.toml"
    path.write_text(ENDLESS[what], encoding="utf-8")
    begun = process_time()

    with pytest.raises(FixConfiguration) as refused:
        load(path, {})

    assert str(refused.value).startswith(f"{path}:")
    assert len(str(refused.value)) < 100_000
    assert process_time() - begun < 60  # some took hours, and some all of the memory


@pytest.mark.parametrize(
    "pattern",
    [
        "(?P<service>(?:(?:(?:a{500}){500}){500}))(?P<version>x)",
        "(?P<service>(?:(?:(?:a{2,500}){,500}){500,}))(?P<version>x)",
        "(?P<service>" + "(" * 1_500 + ")" * 1_500 + ")(?P<version>x)",
        "(?P<service>" + "a" * 5_000 + ")(?P<version>x)",
    ],
)
def test_no_expression_fills_memory_before_it_is_used(pattern: str, tmp_path: Path) -> None:
    path = tmp_path / "vpemetrics.toml"
    path.write_text(GITOPS.format(pattern), encoding="utf-8")

    with pytest.raises(FixConfiguration, match=r"sources\.live: subject is (too large|nested)"):
        load(path, {})


def test_expressions_that_people_write_are_none_of_these() -> None:
    assert (
        Pattern("x", r"(\d{4})-(\d{2})-(\d{2})-[0-9a-f]{7,64}").fit("2026-12-01-" + "a" * 40) == {}
    )
    assert Pattern("x", "[(]" * 500).fit("(" * 500) is not None


@pytest.mark.parametrize("text", ["://:", "://a:b", "eyJ-", "eyJaaaaaaaaaaa", "Bearer  ", "?pwd="])
def test_no_value_takes_long_to_be_told_from_a_secret(text: str) -> None:
    endless = text * (200_000 // len(text))
    begun = process_time()

    is_literal(endless)
    mask(endless)

    assert process_time() - begun < 60  # they took hours


GOOD = Path(__file__).parents[2] / "config"
BITS = [
    "", '"', "'", "[", "]", "[[", "]]", "{", "}", "=", ",", ".", "#", "\n", "\\", "\\u0000",
    "\\ud800", "0x" + "f" * 99, "true", '"!"', '"*"', "\0", "\ud800", "\u2028",
    "\x1b[31m", "1e400", "nan", "9" * 5_000, "-1",
    "2031-01-01", "99:99", '"a\\u0000b"', '"env:"', '"env:HOME"', '"file:/dev/null"', '"gh"',
    '"~nobody-at-all/x"', '"sqlite:///x?vfs=no"', '"postgresql://"', '"(?P<service>("',
    "[sources.x]\n", 'type = "git"\n', "[[service]]\n", "organisation", "timezone", '"UTC/../x"',
]  # fmt: skip


@law(100, soak=100_000)
@given(st.integers(0, 2**64 - 1))
def test_any_configuration_is_in_force_or_refused_with_its_file(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    random, path = Random(seed), tmp_path_factory.getbasetemp() / "any.toml"
    text = random.choice(sorted(GOOD.rglob("*.toml"))).read_text(encoding="utf-8")
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(text) + 1)
        text = text[:at] + random.choice(BITS) + text[at + random.choice((0, 0, 1, 5, 40)) :]
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    try:
        configuration = load(path, {})
    except VpemetricsError as refused:
        said = str(refused)
    else:
        said = str(path)
        assert configuration.rules()

    assert all(line.startswith(str(path)) for line in said.split("\n"))


@pytest.mark.parametrize(
    "setting",
    [
        'store = "a\\u0000b"',
        '[schedule]\noutput = "a\\u0000b/{week}.html"',
        '[reliability]\nfile = "a\\u0000b"',
        '[sources.x]\ntype = "git"\npath = "a\\u0000b"',
        '[sources."a\\u0000b"]\ntype = "git"',
    ],
)
def test_a_nul_is_told_where_it_stands(setting: str, tmp_path: Path) -> None:
    """It ended as a bug where a file was opened, and made of one name another in a store."""
    path = tmp_path / "vpemetrics.toml"
    path.write_text(setting, encoding="utf-8")

    with pytest.raises(FixConfiguration, match=r"vpemetrics\.toml:\d: .*: a NUL is in it"):
        load(path, {})


def test_paths_of_a_service_that_are_no_bearable_pattern_are_told() -> None:
    with pytest.raises(FixConfiguration, match=r"service\.paths is too large"):
        path_matcher(["**/a*" * 1_500])
