"""Whatever a file holds, it loads or is refused as a whole, with the reasons."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.config.load import load
from vpemetrics.config.model import settings, tables
from vpemetrics.errors import ConfigurationErrors

TOKEN = "ghp_" + "a1B2" * 9
NAMES = sorted({part for name in (*settings(), *tables()) for part in name.split(".")})

keys = st.sampled_from([*NAMES, TOKEN]) | st.text(min_size=1, max_size=4)
texts = st.text(max_size=8) | st.sampled_from(["2d", "15%", "cfr", "UTC", "merge", "team:a", TOKEN])
scalars = texts | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
documents = st.dictionaries(keys, values, max_size=5)


@given(document=documents)
@law(60, soak=100_000)
def test_any_document_loads_or_is_refused_with_reasons(
    tmp_path: Path, document: dict[str, object]
) -> None:
    file = tmp_path / "vpemetrics.toml"
    text = "\n".join(f"{_toml(key)} = {_toml(value)}" for key, value in document.items())
    file.write_text(text, encoding="utf-8")

    refused = _refused(file)

    if refused is not None:
        assert refused.mistakes
        assert all(mistake.startswith(str(file)) for mistake in refused.mistakes)
        assert not any("\n" in mistake for mistake in refused.mistakes)
        assert TOKEN not in str(refused)


def _refused(file: Path) -> ConfigurationErrors | None:
    try:
        load(file, {}).rules()
    except ConfigurationErrors as refused:
        return refused
    return None


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
