"""The commands as a user meets them: new, solve, schema, doctor, PDF, and what is said where something is missing or wrong."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest

from symgrad import cli, pipeline
from symgrad.reader.asks import ASKS

ROOT = Path(__file__).parent.parent
BAD = '''format = 1
id = "bad"
title = "A"
[symbols]
x = "N"
[model]
let = "z = x @ x"
[[part]]
label = "a"
ask = "backward"
of = "z"
wrt = ["x"]
'''


def test_a_new_file_solves_without_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new", "first-steps", "--dir", str(tmp_path)]) == 0
    file = tmp_path / "first-steps.toml"
    assert tomllib.loads(file.read_text("utf-8"))["id"] == "first-steps"
    assert f"now: symgrad solve {file}" in capsys.readouterr().out
    assert cli.main(["solve", str(file), "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if "first-steps" in line and "backward" in line)
    assert row.split() == ["first-steps", "a", "backward", "5", "5", "proved", "below", "1e-6", "yes"]
    assert f"Sheets and certificates are in {(tmp_path / 'out').as_posix()}/<problem>/." in shown
    assert cli.main(["check", str(file), str(tmp_path / "out" / "first-steps" / "certificate.json")]) == 0
    assert cli.main(["new", "first-steps", "--dir", str(tmp_path)]) == 2
    assert "is there already; it was not touched" in capsys.readouterr().err
    assert cli.main(["new", "First steps"]) == 2


def test_one_bad_file_stops_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.toml").write_text(BAD, "utf-8")
    cli.main(["new", "good", "--dir", str(tmp_path)])
    assert cli.main(["solve", str(tmp_path), "--out", str(tmp_path / "out"), "--format", "json"]) == 2
    said = capsys.readouterr()
    assert "input is wrong" in said.out
    assert "bad.toml:7: x @ x: matrix product (@): left is (N), right is (N); the inner dimensions 1 and N differ" in said.err
    assert (tmp_path / "out" / "good" / "solution.json").exists()
    assert not (tmp_path / "out" / "bad").exists()


def test_an_expected_answer_that_disagrees_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["new", "wrong", "--dir", str(tmp_path)])
    file = tmp_path / "wrong.toml"
    file.write_text(file.read_text("utf-8").replace('"z_bar @ x.T"', '"2 * z_bar @ x.T"'), "utf-8")
    assert cli.main(["solve", str(file), "--out", str(tmp_path / "out"), "--format", "json"]) == 1
    said = capsys.readouterr()
    assert "no: W_bar" in said.out
    assert "part a: [expected] W_bar is not what was derived; see the marking view" in said.err


def test_marks_for_what_is_no_step_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They would count in the total, and no step would show them."""
    file = tmp_path / "m.toml"
    for marks, code in (("{ y_bar = 1, w_bar = 2 }", 0), ("3", 0), ("{ y_bar = 1, w_baer = 2 }", 2)):
        file.write_text('format = 1\nid = "m"\ntitle = "M"\n[symbols]\nw = [1, 2]\nx = [3, 4]\n[model]\nlet = "y = w.T @ x"\n[[part]]\n'
                        f'label = "a"\nask = "backward"\nof = "y"\nwrt = ["w"]\nmarks = {marks}\n'.replace("[1, 2]", "{ value = [1, 2] }")
                        .replace("x = [3, 4]", 'x = "2"'), encoding="utf-8")
        assert cli.main(["solve", str(file), "--out", str(tmp_path / "out"), "--format", "json"]) == code
    assert "m.toml:14: marks: part a has no step w_baer; did you mean w_bar?" in capsys.readouterr().err


def test_what_stays_undecided_is_said_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"v{i}" for i in range(30)]
    claim = f"{' + '.join(f'abs({n})' for n in names)} = {' + '.join(f'max({n}, -{n})' for n in reversed(names))}"
    file = tmp_path / "open.toml"
    file.write_text('format = 1\nid = "open"\ntitle = "O"\n[symbols]\n' + "".join(f"{n} = {{}}\n" for n in names)
                    + f'[[part]]\nlabel = "a"\nask = "prove"\nclaim = "{claim}"\n', encoding="utf-8")
    assert cli.main(["solve", str(file), "--out", str(tmp_path / "out"), "--format", "json"]) == 1
    assert "open.toml, part a: claim is undecided: more than 64 cases" in capsys.readouterr().err


@pytest.mark.parametrize(("top", "symbol", "more", "line"), [
    ("statement = '<b>'", "", "", 4), ("", "latex = '\\input{x}'", "", 6), ("", "", "latex = { y = '\\frac{a}{b' }", 9),
    ("", "", "[[part]]\nlabel = 'a'\nask = 'gradient'\nof = 'y'\nwrt = ['x']\nstatement = '<i>'", 14)])
def test_a_text_that_no_sheet_admits_is_placed(top: str, symbol: str, more: str, line: int, tmp_path: Path,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    part = "" if "[[part]]" in more else "[[part]]\nlabel = 'a'\nask = 'gradient'\nof = 'y'\nwrt = ['x']\n"
    file = tmp_path / "t.toml"
    file.write_text(f"format = 1\nid = 't'\ntitle = 'T'\n{top}\n[symbols]\nx = {{ {symbol} }}\n[model]\nlet = 'y = x^2'\n{more}\n{part}",
                    encoding="utf-8")
    assert cli.main(["solve", str(file), "--out", str(tmp_path / "out")]) == 2
    assert f"error: {file.as_posix()}:{line}: " in capsys.readouterr().err
def test_an_expected_answer_of_a_deep_graph_disagrees_by_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three steps of an LSTM with all definitions put in are more than can be written out; the input is not wrong for that."""
    text = (ROOT / "problems" / "lstm-any-length.toml").read_text("utf-8")
    file = tmp_path / "lstm-any-length.toml"
    file.write_text(text.replace('"c_bar[1] * f[1]"', '"c_bar[1] * i[1]"'), "utf-8")
    assert cli.main(["solve", str(file), "--out", str(tmp_path / "out"), "--format", "json"]) == 1
    assert "part a: [expected] c0_bar is not what was derived" in capsys.readouterr().err


def test_without_a_pdf_engine_the_rest_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    file = ROOT / "problems" / "half-squared-norm.toml"
    assert cli.main(["solve", str(file), "--out", str(tmp_path / "out"), "--format", "pdf", "--format", "markdown"]) == 1
    said = capsys.readouterr()
    assert "d.iii" in said.out
    assert "question.pdf: no PDF engine was found; install latexmk" in said.err
    written = {p.name for p in (tmp_path / "out" / "half-squared-norm").iterdir()}
    assert {"question.tex", "question.html", "solution.md", "certificate.json"} <= written
    assert cli.main(["doctor"]) == 0
    assert "PDF sheets (--format pdf) cannot be made: install latexmk or Chromium" in capsys.readouterr().out


def test_doctor_names_the_first_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("chromium", "pdflatex"):
        (tmp_path / name).write_text("#!/bin/sh\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "are made by pdflatex (also found: chromium)" in said
    assert said.rstrip().endswith("All that symgrad needs is here.")


def test_an_engine_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from symgrad.language.errors import Unsupported
    from symgrad.sheet import pdf

    engine = tmp_path / "latexmk"
    engine.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n", "utf-8")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pdf, "SECONDS", 1)
    with pytest.raises(Unsupported, match="latexmk did not finish within 1 s"):
        pdf.print_pdf(tmp_path / "a.pdf", "tex", "html")


def test_the_schema_covers_every_kind_of_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    kinds = schema["properties"]["part"]["items"]["discriminator"]["mapping"]
    assert set(kinds) == set(ASKS)
    assert {"format", "id", "title", "part"} <= set(schema["required"])
    for path in sorted((ROOT / "problems").glob("*.toml")):
        assert set(tomllib.loads(path.read_text("utf-8"))) <= set(schema["properties"])


def test_a_long_refusal_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part in which every step is refused lists three of them and counts the rest."""
    from symgrad.check.checker import Checker
    from symgrad.language.steps import Ground, Verdict
    from symgrad.reader.read import read

    monkeypatch.setattr(Checker, "check", lambda self, claim: Verdict(Ground.REFUTED, "no"))
    problem, _ = read(ROOT / "problems" / "relu-network.toml")
    failure = pipeline.solve(problem).parts[0].failure
    assert failure.count(": no") == pipeline.SHOWN == 3
    assert failure.endswith("; and 28 more, most of which rest on these")


def test_a_missing_path_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["solve", "nowhere"]) == 2
    assert "there is no file or folder nowhere" in capsys.readouterr().err


def test_no_progress_where_errors_go_to_a_file(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-m", "symgrad", "solve", "problems/forward-table.toml", "problems/half-squared-norm.toml",
                          "--out", str(tmp_path), "--format", "json"], cwd=ROOT, capture_output=True, text=True, check=True,
                         env={**os.environ, "PYTHONIOENCODING": "utf-8"}, timeout=120)
    assert run.stderr == ""


def test_progress_on_a_terminal(tmp_path: Path) -> None:
    """A bar while the work lasts, and no trace of it in what is printed."""
    import pty

    reader, writer = pty.openpty()
    shown: list[bytes] = []

    def collect() -> None:
        with contextlib.suppress(OSError):  # how the end of a terminal shows
            while piece := os.read(reader, 65536):
                shown.append(piece)

    thread = threading.Thread(target=collect)
    thread.start()
    done = subprocess.Popen([sys.executable, "-m", "symgrad", "solve", "problems/forward-table.toml", "--out", str(tmp_path), "--format", "json"],
                            cwd=ROOT, stdout=subprocess.PIPE, stderr=writer, env={**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"})
    printed, _ = done.communicate(timeout=120)
    os.close(writer)
    thread.join(10)
    os.close(reader)
    assert done.returncode == 0
    assert b"solving" in b"".join(shown)
    assert b"1/1" in b"".join(shown)
    assert b"solving" not in printed
