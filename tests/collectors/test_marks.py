"""The tools that trailers name."""

import pytest

from vpemetrics.collectors.marks import MARKS_OF, mark_test

SEVERAL = """Mend the till (#12)

* Count again

Co-authored-by: Claude Opus 4.6 <noreply@anthropic.com>

* Round
Co-Authored-By: Codex <noreply@openai.com>
Signed-off-by: Ada <ada@example.org>
"""


@pytest.mark.parametrize(
    ("message", "marks"),
    [
        (SEVERAL, ("Claude", "Codex")),  # a squash has them between its paragraphs
        ("x\n\nCo-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>", ("Copilot",)),
        ("x\n\nco-authored-by: copilot-swe-agent[bot] <1+Copilot@users.noreply.github.com>\r\n",
         ("Copilot",)),
        ("x\n\nCo-authored-by: devin-ai-integration[bot] <devin@example.org>", ("Devin",)),
        ("x\n\nCo-authored-by: Cursor <cursoragent@cursor.com>", ("Cursor",)),
        # people are called so
        ("x\n\nCo-authored-by: Devin <devin@example.org>", ()),
        ("x\n\nCo-authored-by: Jules <35426973+JulesTriomphe@users.noreply.github.com>", ()),
        ("x\n\nCo-authored-by: Claude", ()),
        ("x\n\nAssisted-by: Jules Verne <jules@example.org>", ()),
        ("x\n\nAssisted-by: Claude:claude-opus-4-8", ("Claude",)),  # as Linux has it
        ("x\n\nAssisted-by: Crush <crush@charm.land>", ("Crush",)),
        ("x\n\nGenerated-by: GitHub Copilot, and Qwen Code", ("Copilot", "Qwen Code")),
        ("x\n\nMade-with: Cursor", ("Cursor",)),
        ("x\n\nAssisted-by: Amplifier", ()),  # whole words
        ("x\n\nAssisted-by: pre-devin", ()),
        ("x\n\nReviewed-by: Claude", ()),
        ("> Co-authored-by: Claude <noreply@anthropic.com>", ()),  # somebody else's words
        ("Do not write Co-authored-by: Claude <noreply@anthropic.com>", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_trailers_name_tools(message: str, marks: tuple[str, ...]) -> None:
    assert MARKS_OF(message) == marks


def test_a_configured_agent_is_a_tool_by_its_pattern() -> None:
    message = "x\n\nCo-authored-by: Coder <coder@acme.example>\nAssisted-by: Coder"

    assert mark_test(("coder@acme.example",))(message) == ("coder@acme.example",)
