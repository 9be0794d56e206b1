"""Programs that write changes somebody asked for, by what they are called.

The one list of them. Each name stands for itself, in any case: a login, a bot account as GitHub
spells it, or an address; never a first name, as people are called Claude, Devin and Jules.
An account that a host made an address of is told by its name.
"""

from collections.abc import Mapping
from typing import Final

from vpemetrics.rules import Rules

AGENTS: Final[Mapping[str, tuple[str, ...]]] = {
    # Co-author of its commits by default: https://aider.chat/docs/git.html
    "Aider": ("noreply@aider.chat", "aider@aider.chat"),
    # Seen as `Co-authored-by: Amp <amp@ampcode.com>` in pnpm's history.
    "Amp": ("amp@ampcode.com",),
    # https://github.com/apps/claude; the account `claude` without [bot] is somebody else's.
    # https://code.claude.com/docs/en/settings#attribution-settings; claude@ in prometheus' history.
    "Claude": ("claude[bot]", "noreply@anthropic.com", "claude@anthropic.com"),
    # https://github.com/openai/codex/pull/11617; codex@ in pnpm's history.
    "Codex": ("chatgpt-codex-connector[bot]", "noreply@openai.com", "codex@openai.com"),
    # Pull requests are by `Copilot` in REST and by `copilot-swe-agent` in GraphQL, commits by
    # `copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>`, in pnpm's history.
    # https://docs.github.com/en/copilot/concepts/agents/coding-agent/about-coding-agent
    "Copilot": ("Copilot", "Copilot[bot]", "copilot-swe-agent[bot]", "copilot@github.com"),
    # https://github.com/charmbracelet/crush#attribution-settings
    "Crush": ("crush@charm.land",),
    # Co-author and author in argo-cd's history; https://docs.cursor.com/en/background-agent
    "Cursor": ("cursor[bot]", "cursoragent", "cursoragent@cursor.com"),
    # https://github.com/apps/devin-ai-integration
    "Devin": ("devin-ai-integration[bot]",),
    # https://github.com/apps/factory-droid
    "Droid": ("factory-droid[bot]",),
    # https://github.com/apps/gemini-code-assist
    "Gemini": ("gemini-code-assist[bot]",),
    # https://github.com/apps/google-labs-jules
    "Jules": ("google-labs-jules[bot]",),
    # https://github.com/apps/opencode-agent
    "OpenCode": ("opencode-agent[bot]", "noreply@opencode.ai"),
    # https://github.com/All-Hands-AI/OpenHands, whose prompt says to sign so
    "OpenHands": ("openhands-agent", "openhands@all-hands.dev"),
    # https://github.com/QwenLM/qwen-code
    "Qwen Code": ("qwen-coder@alibabacloud.com",),
    # https://github.com/apps/sweep-ai
    "Sweep": ("sweep-ai[bot]",),
}
"""The names of each agent, by the tool's own."""


def author_settings(rules: Rules) -> tuple[object, ...]:
    """All that decides on kinds of authors: where it changes, they are to be judged anew."""
    return rules.bots, rules.agents, AGENTS
