"""A certificate is verified again in a process that cannot even import what derived it; and a changed one is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from symgrad import cli
from symgrad.replay import replay

ROOT = Path(__file__).parent.parent
FILES = [f for f in sorted((ROOT / "problems").glob("*.toml"))
         if f.stem in ("forward-table", "half-squared-norm", "relu-network", "residual-mlp", "symmetric-precision", "two-relu-two-sigmoid")]

BLOCKED = '''
import sys
from importlib.abc import MetaPathFinder

class Refuse(MetaPathFinder):
    """Whatever derives, searches or prints cannot be imported."""
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "z3" or name.startswith(("symgrad.rules", "symgrad.solvers", "symgrad.questions", "symgrad.sheet",
        "symgrad.pipeline")):
            raise ImportError(f"{name} is blocked")
        return None

sys.meta_path.insert(0, Refuse())
try:
    import symgrad.rules
except ImportError:
    pass
else:
    raise SystemExit("the block does not work")
from symgrad.cli import main
sys.exit(main(["check", *sys.argv[1:]]))
'''


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("solved")
    assert cli.main(["solve", *map(str, FILES), "--out", str(out), "--format", "json", "--jobs", "1"]) == 0
    return out


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_in_a_process_without_what_derived_it(file: Path, solved: Path) -> None:
    certificate = solved / file.stem / "certificate.json"
    run = subprocess.run([sys.executable, "-c", BLOCKED, str(file), str(certificate)], capture_output=True, text=True, timeout=120, cwd=ROOT)
    count = len(json.loads(certificate.read_text("utf-8"))["entries"])
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.strip() == f"{certificate}: {count} claims verified again"


def altered(solved: Path, tmp_path: Path, name: str, change: Any) -> tuple[Path, Path]:
    """The problem file and its certificate with `change` made to the entries."""
    data = json.loads((solved / name / "certificate.json").read_text("utf-8"))
    change(data)
    target = tmp_path / "certificate.json"
    target.write_text(json.dumps(data), "utf-8")
    return ROOT / "problems" / f"{name}.toml", target


def find(data: dict[str, Any], kind: str, **fields: Any) -> dict[str, Any]:
    return next(e for e in data["entries"] if e["claim"]["kind"] == kind and all(e["claim"][k] == x for k, x in fields.items()))


def complaints(paths: tuple[Path, Path]) -> str:
    found = replay(*paths)
    assert not found.holds
    return "\n".join(found.complaints)


def test_a_result_changed(solved: Path, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        find(data, "Total", wrt="w3_11")["claim"]["lines"][-1]["form"]["expr"] = {"expr": "63"}

    said = complaints(altered(solved, tmp_path, "relu-network", change))
    assert "part b, w3_11: refuted: line" in said and "of dLoss/dw3_11: left is 64, right is 63 at the given values" in said


def test_a_claim_dropped(solved: Path, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["entries"].remove(find(data, "Total", wrt="b3"))

    assert "part b: dLoss/db3 is not answered" in complaints(altered(solved, tmp_path, "relu-network", change))


def test_premises_after_what_rests_on_them(solved: Path, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["entries"].reverse()

    said = complaints(altered(solved, tmp_path, "residual-mlp", change))
    assert "before it is derived" in said and "is not answered" in said


def test_a_verdict_improved(solved: Path, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        find(data, "GivenValue", name="s1")["verdict"]["ground"] = "proved"

    assert "the certificate says proved" in complaints(altered(solved, tmp_path, "two-relu-two-sigmoid", change))


def test_a_right_choice_made_wrong(solved: Path, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        right, wrong = find(data, "Matches"), find(data, "Differs")
        right["claim"]["choice"], wrong["claim"]["choice"] = wrong["claim"]["choice"], right["claim"]["choice"]

    said = complaints(altered(solved, tmp_path, "half-squared-norm", change))
    assert "refuted" in said and "is not answered" in said


def test_a_part_that_was_not_asked(solved: Path, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["entries"].append({**data["entries"][0], "part": "z"})

    assert "the certificate has a part z that the problem does not ask" in complaints(altered(solved, tmp_path, "forward-table", change))


def test_the_problem_was_edited_since(solved: Path, tmp_path: Path) -> None:
    edited = tmp_path / "forward-table.toml"
    edited.write_text((ROOT / "problems" / "forward-table.toml").read_text("utf-8").replace("value = 1 }", "value = 2 }"), "utf-8")
    said = complaints((edited, solved / "forward-table" / "certificate.json"))
    assert "it was edited since: run symgrad solve again" in said


def test_only_the_expected_answers_may_change(solved: Path, tmp_path: Path) -> None:
    """[expected] is no part of the problem that a certificate speaks of."""
    edited = tmp_path / "forward-table.toml"
    edited.write_text((ROOT / "problems" / "forward-table.toml").read_text("utf-8").partition("[expected]")[0], "utf-8")
    assert replay(edited, solved / "forward-table" / "certificate.json").holds


@pytest.mark.parametrize(("text", "message"), [("", "not JSON"), ("[" * 100_000, "not JSON"), ("{}", "not a symgrad certificate"), ("\x00",
"not JSON"), ('{"format": 1}', "Certificate")])
def test_what_is_no_certificate(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.json").write_text(text, "utf-8")
    assert cli.main(["check", str(ROOT / "problems" / "forward-table.toml"), str(tmp_path / "c.json")]) == 2
    said = capsys.readouterr().err
    assert message in said and "c.json" in said and "Traceback" not in said


def test_files_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(ROOT / "problems" / "forward-table.toml"), str(tmp_path / "none.json")]) == 2
    assert cli.main(["check", str(tmp_path / "none.toml"), str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().err.count("cannot be read: No such file or directory") == 2


def test_the_command_says_what_it_refuses(solved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(data: dict[str, Any]) -> None:
        find(data, "Value", node="n3")["claim"]["lines"][-1]["form"]["expr"] = {"expr": "5"}

    problem, certificate = altered(solved, tmp_path, "forward-table", change)
    assert cli.main(["check", str(problem), str(certificate)]) == 1
    assert "refused: part a, n3: refuted: line 3 of the value of n3: left is 4, right is 5 at the given values" in capsys.readouterr().out
