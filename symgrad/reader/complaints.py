"""What pydantic found wrong with a file, in the words of problem files: one message for one place, with what is needed there.

A value that may be of several types is refused once for each of them; such refusals become one, and where one of the types
was the right one and something inside it is wrong, only that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

Path = tuple[str | int, ...]

_NEEDED = {
    "string_type": "a text in quotes", "int_type": "a whole number", "decimal_type": "a number", "finite_number": "a finite number",
    "float_type": "a number", "bool_type": "true or false", "list_type": "a list in brackets", "dict_type": "a table in braces",
    "model_type": "a table in braces", "model_attributes_type": "a table in braces",
}
SYMBOL = 'a symbol is a table such as { shape = "2", value = [1, 2] }, a shape such as "N", or a number; found '
_PATTERNS = {
    r"^[A-Za-z0-9][A-Za-z0-9.\-]*$": "letters, digits, dots and hyphens are needed, a letter or digit first",
    r"^[a-z0-9][a-z0-9_\-]{0,63}$": "small letters, digits, - and _ are needed, at most 64, a letter or digit first",
}


def merged(found: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[tuple[Path, str]]:
    """Each place and what to say of it, of errors that are no unknown or missing keys."""
    paths = [path for path, _ in found]
    for path in dict.fromkeys(paths):
        if any(other[: len(path)] == path and len(other) > len(path) for other in paths):
            continue
        here = [e for p, e in found if p == path]
        symbol = len(path) == 2 and path[0] == "symbols" and all(map(_need, here))
        yield path, f"{'.'.join(map(str, path))}: {SYMBOL + shown(here[0].get('input')) if symbol else said(here)}"


def said(errors: Sequence[Mapping[str, Any]]) -> str:
    """'a list in brackets or a number is needed; found true'."""
    needed = list(dict.fromkeys(filter(None, map(_need, errors))))
    if "a number" in needed and "a whole number" in needed:
        needed.remove("a whole number")
    value = errors[0].get("input")
    others = [e["msg"][:200] for e in errors if not _need(e)]
    if others:  # something more particular than a type: too long, below 1, a pattern
        pattern = next((_PATTERNS[e["ctx"]["pattern"]] for e in errors if e.get("ctx", {}).get("pattern") in _PATTERNS), None)
        return f"{pattern or others[0]}; found {shown(value)}"
    hint = f', as in [{shown(value)}]' if isinstance(value, str) and "a list in brackets" in needed else ""
    return f"{', '.join(needed[:-1])}{' or ' if needed[1:] else ''}{needed[-1]} is needed{hint}; found {shown(value)}"


def _need(e: Mapping[str, Any]) -> str:
    if e["type"] == "literal_error":
        return re.sub(r"'", '"', str(e["ctx"]["expected"]))
    if e["type"] == "is_instance_of":
        return "a number"
    return _NEEDED.get(e["type"], "")


def shown(value: Any) -> str:
    """A value as it would stand in the file, cut at 60 characters."""
    match value:
        case bool():
            text = "true" if value else "false"
        case str():
            text = f'"{value}"'
        case list():
            text = f"[{', '.join(map(shown, value[:20]))}]"
        case dict():
            text = "{ " + ", ".join(f"{k} = {shown(x)}" for k, x in list(value.items())[:20]) + " }" if value else "{}"
        case Decimal():
            text = str(value).replace("NaN", "nan").replace("Infinity", "inf")
        case _:
            text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


__all__ = ["merged", "said", "shown"]
