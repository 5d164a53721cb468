"""The table of rules: a name is taken once, and every rule has a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    source: str


RULES: dict[str, Rule] = {}


def rule(name: str, source: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enters a function in RULES under `name`.  Raises ValueError for a name already taken and for a missing source."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        if name in RULES:
            raise ValueError(f"the rule name {name!r} is taken")
        if not source.strip():
            raise ValueError(f"the rule {name!r} has no source")
        RULES[name] = Rule(name, source)
        function.rule_name = name  # type: ignore[attr-defined]
        return function

    return enter
