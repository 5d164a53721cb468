"""Candidates from problem files: right, wrong, refused, named, and marked; the certificate is replayed without z3."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from symgrad.language.claims import Decides, Misfits, Violates
from symgrad.language.errors import SpecErrors
from symgrad.language.wire import certificate_to_json
from symgrad.language.wording import plain, spell
from symgrad.pipeline import Result, solve, summary
from symgrad.reader.read import read, read_text
from symgrad.replay import verify

ROOT = Path(__file__).parent.parent.parent
HEAD = 'format = 1\nid = "p"\ntitle = "A network"\n'
ORDERING = "W1 = [[-1, 1, 0], [0, -1, 1]]\nb1 = [0, 0]\nW2 = [-1, -1]\nb2 = 0\n"
BACKWARDS = "W1 = [[1, -1, 0], [0, 1, -1]]\nb1 = [0, 0]\nW2 = [1, 1]\nb2 = -2\n"


def solved(part: str, expected: str = "", top: str = "") -> Result:
    problem, stated = read_text(f'{HEAD}{top}\n[[part]]\nlabel = "a"\nask = "check_network"\n{part}\n{expected}', "p.toml")
    return solve(problem, stated)


def errors(part: str) -> str:
    with pytest.raises(SpecErrors) as error:
        solved(part)
    return str(error.value)


def last_claim(result: Result) -> object:
    derivation = result.parts[0].derivation
    assert derivation is not None, result.parts[0].failure
    return derivation.steps[-1].claim


def property_of(result: Result) -> str:
    claim = last_claim(result)
    assert isinstance(claim, Decides)
    return spell(claim.wanted.properties[0], plain(claim.wanted.inputs, claim.wanted.domain.value == "booleans"))


def test_a_right_candidate() -> None:
    result = solved(f'property = "y = 1 iff x1 > x2 > x3"\n{ORDERING}', '[expected]\n"a" = "right"')
    assert isinstance(last_claim(result), Decides)
    assert summary(result)[0].good
    assert verify(result.problem, result.certificate).holds


def test_a_wrong_candidate_by_a_tie_and_the_exit_status() -> None:
    for expected, good in (("", False), ('[expected]\n"a" = "wrong"', True), ('[expected]\n"a" = "right"', False)):
        result = solved(f'property = "x1 > x2 > x3"\n{BACKWARDS}', expected)
        derivation = result.parts[0].derivation
        assert derivation is not None and derivation.steps[-1].label == "instead"
        claim = derivation.steps[-2].claim
        assert isinstance(claim, Violates) and claim.point == (1, 0, 0)
        assert property_of(result) == "x1 >= x2 >= x3"
        row = summary(result)[0]
        assert row.good is good
        assert good or "wrong: at x1 = 1, x2 = 0, x3 = 0" in row.failure


@pytest.mark.parametrize(("arrays", "words"), [
    ("layers = [3, 2, 1]\nW1 = [[-1, 1, 0], [0, -1, 1]]\nb1 = [0, 0, 0]\nW2 = [-1, -1]\nb2 = 0", "b1 has 3 entries; the hidden layer has 2 units"),
    ("layers = [3, 2, 1]\nW1 = [[-1, 1, 0], [0, -1, 1]]\nb1 = [0, 0]\nW2 = [[-1]]\nb2 = 0", "W2 has 1 entries; the output layer has 1 unit fed by 2"),
    ("layers = [3, 2, 1]\nW1 = [[-1, 1], [0, -1]]\nb1 = [0, 0]\nW2 = [-1, -1]\nb2 = 0", "W1 is 2 x 2; the hidden layer has 2 units fed by 3 inputs"),
    ("layers = [3, 2, 1]\nW1 = [[-1, 1, 0], [0, -1, 1]]\nb1 = [0, 0]", "weights for 1 layers"),
    ("W1 = [[-1, 1, 0], [0, -1, 1]]\nb1 = [0, 0]\nW2 = [-1, -1, -1]\nb2 = 0", "W2 has 3 entries; the output layer has 1 unit fed by 2"),
    ("W1 = [[-1, 1], [0, -1]]\nb1 = [0, 0]\nW2 = [-1, -1]\nb2 = 0", "W1 is 2 x 2; the hidden layer has 2 units fed by 3 inputs"),
    ("W1 = [[-1, 1, 0], [0, -1]]\nb1 = [0, 0]\nW2 = [-1, -1]\nb2 = 0", "rows of 2 and 3 entries"),
])
def test_shapes_that_do_not_fit(arrays: str, words: str) -> None:
    result = solved(f'property = "x1 > x2 > x3"\n{arrays}', '[expected]\n"a" = "refused"')
    assert isinstance(last_claim(result), Misfits)
    assert summary(result)[0].good
    plainly = summary(solved(f'property = "x1 > x2 > x3"\n{arrays}'))[0]
    assert not plainly.good and "refused: " in plainly.failure and words in plainly.failure


OWN = [  # (part, what the network decides)
    ("W1 = [[1, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]]\nb1 = [0, 0, 0]\nW2 = [[-1], [-1], [-1]]\nb2 = 0", "x1 < x2 < x3 < x4"),
    ("W1 = [[1, -1], [-1, 1]]\nb1 = [0, 0]\nW2 = [1, 1]\nb2 = -2", "x1 = x2"),
    ("W1 = [[1, 0], [-1, 0], [0, 1]]\nb1 = [0, 2, -1]\nW2 = [1, 1, 1]\nb2 = -3", "0 <= x1 <= 2 and x2 >= 1"),
    ("W1 = [[1, 1], [1, 1]]\nb1 = [-1, -2]\nW2 = [1, -1]\nb2 = -1\ndomain = 'booleans'", "x1 xor x2"),
    ("W1 = [[1, 1], [1, 1]]\nb1 = [-1, -2]\nW2 = [-1, 1]\nb2 = 0\ndomain = 'booleans'", "x1 iff x2"),
    ("W1 = [[1, 1, 1, 1], [1, 1, 1, 1]]\nb1 = [-2, -3]\nW2 = [1, -1]\nb2 = -1\ndomain = 'booleans'", "exactly 2 of x1, x2, x3, x4"),
    ("W1 = [[1, 1, 1, 1, 1]]\nb1 = [-3]\ndomain = 'booleans'", "at least 3 of x1, x2, x3, x4, x5"),
    ("W1 = [[1, -1]]\nb1 = [-1]\ndomain = 'booleans'", "x1 and not x2"),
    ("W1 = [[2, -1]]\nb1 = [-1]\ninputs = ['price', 'cost']", "2*price >= cost + 1"),
    ("W1 = [[-1, 1, 0], [0, -1, 1], [-1, 0, 1]]\nb1 = [0, 0, 0]\nW2 = [-1, -1, -1]\nb2 = 0", "x1 > x2 > x3"),
    ("W1 = [[2], [-2]]\nb1 = [-3, 7]\nW2 = [1, 1]\nb2 = -2\ndomain = 'integers'", "2 <= x1 <= 3"),
    ("W = [[[1, 1], [1, 1]], [[1, -1]], [[-1]]]\nb = [[-1, -2], [-1], [0]]\ndomain = 'booleans'", "x1 iff x2"),
    ("W1 = [[1, 0], [0, 1]]\nb1 = [0, 0]\nW2 = [[1, 1]]\nb2 = [-5]", "false"),
]


@pytest.mark.parametrize(("part", "said"), OWN, ids=[said for _, said in OWN])
def test_what_a_network_decides(part: str, said: str) -> None:
    result = solved(part, f'[expected]\n"a" = "{said}"')
    assert property_of(result) == said
    assert summary(result)[0].good
    assert verify(result.problem, result.certificate).holds


def test_an_expected_property_may_be_said_otherwise() -> None:
    part = OWN[0][0]
    assert summary(solved(part, '[expected]\n"a" = "x4 > x3 and x3 > x2 and x2 > x1"'))[0].good
    assert not summary(solved(part, '[expected]\n"a" = "x1 <= x2 <= x3 <= x4"'))[0].good
    with pytest.raises(SpecErrors, match="nor a property"):
        solved(part, '[expected]\n"a" = "rihgt"')


def test_the_convention_at_zero() -> None:
    part = 'property = "x1 > x2 > x3"\n' + BACKWARDS.replace("b2 = -2", "b2 = -1")
    assert summary(solved(part, '[expected]\n"a" = "right"', "[conventions]\nstep_at_zero = 0"))[0].good
    assert not summary(solved(part))[0].good
    assert "step(0) = 1/2" in summary(solved(part, "", '[conventions]\nstep_at_zero = "1/2"'))[0].failure


LEVELS = '''levels = [
  { name = "strict orders only", marks = 10, where = "all inputs distinct" },
  { name = "ties too", marks = 20 },
]
'''


@pytest.mark.parametrize(("arrays", "marks", "good"), [(BACKWARDS, 10, False), (ORDERING, 20, True), (ORDERING.replace("-1, -1", "1, 1"), 0, False)])
def test_marks_by_proof(arrays: str, marks: int, good: bool) -> None:
    part = f'property = "x1 > x2 > x3"\n{arrays}{LEVELS}'
    result = solved(part, f'[expected]\n"a.marks" = {marks}')
    derivation = result.parts[0].derivation
    assert derivation is not None and [a.right.expr for a in derivation.answers] == [marks]  # type: ignore[union-attr]
    assert summary(result)[0].good
    assert verify(result.problem, result.certificate).holds
    assert not summary(solved(part, f'[expected]\n"a.marks" = {marks + 1}'))[0].good
    alone = summary(solved(part))[0]
    assert alone.good is good
    assert good or f"earns {marks} of 20 marks" in alone.failure


def test_several_outputs() -> None:
    arrays = "W1 = [[1, 1], [1, 1]]\nb1 = [-1, -2]\nW2 = [[1, -1], [0, 1]]\nb2 = [-1, -1]\ndomain = 'booleans'\n"
    assert summary(solved(f'property = ["x1 xor x2", "x1 and x2"]\n{arrays}', '[expected]\n"a" = "right"'))[0].good
    assert summary(solved(f'property = ["x1 xor x2", "x1 or x2"]\n{arrays}', '[expected]\n"a" = "wrong"'))[0].good
    assert "2 output units; give one for each" in errors(f'property = "x1 xor x2"\n{arrays}')


@pytest.mark.parametrize(("part", "words"), [
    ('property = "x1 > x2"', "a candidate is needed"),
    ('property = "x1 > x2"\nW1 = [[1, "?"]]', "states all its weights"),
    ('property = "x1 > x2"\nW1 = [[1, -1]]\nW = [[[1, -1]]]', "given twice"),
    ('property = "x1 > x2"\nW1 = [[1, -1]]\nW3 = [[1]]', "W2 is missing"),
    ('property = "x1 > x9"\nlayers = [2, 1]\nW1 = [[1, -1]]', "the inputs are x1..x2"),
    ('property = "x1 > x2"\nW1 = [[1, "one"]]', "is not a decimal number"),
    ('W1 = [[1, -1]]\nlevels = [{ marks = 3 }]', "levels need a property"),
    ('property = "x1 > x2"\nW1 = [[1, -1]]\ninputs = ["a", "a"]', "names a twice"),
    ('property = "x1 > x2"\nW1 = [[1, -1]]\nwhere = "x1"', "compare it with something"),
    ('property = "x1 > x2"\nW1 = [[1, -1]]\nweigths = 1', "unknown key"),
    ('property = "x1 > x2"\nW1 = [[1, -1], 3]', "is needed; found 3"),
])
def test_errors_help(part: str, words: str) -> None:
    said = errors(part)
    assert words in said
    assert said.startswith("p.toml:")


def test_nothing_of_expected_is_read_before_the_end() -> None:
    part = f'property = "x1 > x2 > x3"\n{BACKWARDS}'
    with_it, without = solved(part, '[expected]\n"a" = "right"'), solved(part)
    assert with_it.certificate == without.certificate


@pytest.mark.parametrize("name", ["ordering-five", "ordering-four", "threshold-logic"])
def test_problem_files_and_a_replay_without_solvers(name: str, tmp_path: Path) -> None:
    file = ROOT / "problems" / f"{name}.toml"
    result = solve(*read(file))
    assert all(row.good for row in summary(result))
    certificate = tmp_path / "certificate.json"
    certificate.write_text(json.dumps(certificate_to_json(result.certificate)), "utf-8")
    code = ("import sys\nsys.modules['z3'] = None\nfrom pathlib import Path\nfrom symgrad.replay import replay\n"
            f"found = replay(Path({str(file)!r}), Path({str(certificate)!r}))\n"
            "assert found.holds and not found.undecided, found\n"
            "assert not [m for m in sys.modules if m.startswith(('symgrad.solvers', 'symgrad.rules', 'symgrad.questions'))]\n")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
