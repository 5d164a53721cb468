"""The README keeps its word: its problem file is solved, its commands and Python blocks are run and print what stands there."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from symgrad.reader.asks import ASKS, READERS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
"""(language, text) of every fenced block, in order."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the README's problem files, each under its id."""
    found = tmp_path_factory.mktemp("readme")
    for language, text in BLOCKS:
        if language == "toml":
            (found / f"{tomllib.loads(text)['id']}.toml").write_text(text, "utf-8")
    return found


def run(command: str, folder: Path) -> str:
    words = command.split()
    assert words[0] == "symgrad"
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    done = subprocess.run([sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
                          env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_print_what_the_page_shows(folder: Path) -> None:
    consoles = [text for language, text in BLOCKS if language == "console"]
    assert len(consoles) >= 2
    for text in consoles:
        command, _, shown = text.partition("\n")
        assert run(command.removeprefix("$ "), folder) == shown, command


def test_the_excerpt_stands_in_the_sheet(folder: Path) -> None:
    excerpts = re.findall(r"<!-- excerpt of (\S+) -->\n(.*?)\n<!-- end of excerpt -->", README, re.DOTALL)
    assert excerpts
    run("symgrad solve two-layers.toml", folder)
    for file, text in excerpts:
        assert text in (folder / file).read_text("utf-8")


def test_python_blocks_print_what_the_page_shows() -> None:
    names: dict[str, object] = {}
    ran = 0
    for (language, text), (after, shown) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(text, "README.md", "exec"), names)
            assert after == "text", "a Python block is followed by what it prints"
            assert printed.getvalue() == shown
            ran += 1
    assert ran >= 2


def test_every_kind_of_question_has_its_row() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", README.partition("### Kinds of question")[2], re.MULTILINE))
    for kind, spec in zip(ASKS, READERS, strict=True):
        assert kind in rows, f"the README does not say what ask = {kind!r} takes"
        for name, field in spec.model_fields.items():
            if field.is_required() and name not in ("label", "ask"):
                assert f"`{name}`" in rows[kind], f"the README does not say that {kind} needs {name}"


def test_every_known_function_is_named() -> None:
    from symgrad.language.functions import KNOWN, MORE_VECTOR_FUNCTIONS, VECTOR_FUNCTIONS

    said = set(re.findall(r"\w+", README.partition("Known functions:")[2].partition("\n\n")[0]))
    assert said >= {*KNOWN, *VECTOR_FUNCTIONS, *MORE_VECTOR_FUNCTIONS}


def test_the_two_commands_are_marked() -> None:
    """.ci/run takes the second one from the page."""
    for what, command in (("solve", "python3 -m pip install . && symgrad solve problems"),
                          ("test", "python3 -m pip install -e '.[test]' && python3 -m pytest -n auto")):
        assert f"<!-- {what} command -->\n```\n{command}\n```" in README
