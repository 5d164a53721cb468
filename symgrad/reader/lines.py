"""Which line of a TOML text holds which key: a scanner, for error messages only (tomllib does the reading)."""

from __future__ import annotations

import re

_TABLE = re.compile(r"\s*\[(\[?)([^\]]+)\]")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=\s*(.*)""")
_PIECE = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")

KeyPath = tuple[str | int, ...]


def _pieces(text: str) -> KeyPath:
    return tuple(p.strip("\"'") for p in _PIECE.findall(text))


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of every table and key; elements of [[arrays]] are numbered: ("part", 0, "ask")."""
    found: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    closing = ""
    for number, line in enumerate(text.splitlines(), 1):
        if closing:
            if closing in line:
                closing = ""
            continue
        if header := _TABLE.match(line):
            table = _pieces(header[2])
            if header[1]:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            elif table[:1] in counts and len(table) > 1:
                table = (table[0], counts[table[:1]], *table[1:])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_pieces(key[1])), number)
            for quotes in ("'''", '"""'):
                if key[2].lstrip().startswith(quotes) and quotes not in key[2].lstrip()[3:]:
                    closing = quotes
    return found


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """The line of the longest known prefix of `path`; 0 if there is none."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 0


def text_start(text: str, line: int) -> int:
    """The line on which the contents of a multi-line string begin, given the line of its key."""
    source = text.splitlines()
    if not 1 <= line <= len(source):
        return line
    after = source[line - 1].split("=", 1)[-1].strip()
    return line + 1 if after in ("'''", '"""') else line
