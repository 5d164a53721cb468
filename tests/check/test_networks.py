"""Claims about two networks: what is true is proved, each corrupted twin is refused with the reason; certificates replay."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sympy import Expr, Integer, MatAdd, OneMatrix, Rational

from symgrad.check.checker import Checker, unanswered
from symgrad.language import vectors as v
from symgrad.language.claims import (
    ARGUMENT,
    ActivationRelation,
    Beside,
    Claim,
    Image,
    Line,
    NoParameters,
    Parameter,
    Rewritten,
    SameFunction,
    Witness,
)
from symgrad.language.forms import Just
from symgrad.language.functions import call
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.wire import certificate_from_json, certificate_to_json
from symgrad.pipeline import solve
from symgrad.questions import derive
from symgrad.replay import verify
from tests.equivalents import CASES, LAYERS, MLP, NONE, Case, mlp, other

HALF = Rational(1, 2)
U = ARGUMENT


def claims_of(problem: Problem) -> list[Claim]:
    return [s.claim for s in derive(problem, problem.parts[0]).all_steps()]


def verdicts(problem: Problem, claims: list[Claim]) -> list[Verdict]:
    checker = Checker(problem)
    return [checker.check(c) for c in claims]


def parts_of(problem: Problem) -> dict[str, Expr]:
    return {x.name: x.symbol for x in problem.graph.variables} | {n.name: n.symbol for n in problem.graph.nodes}


# ---- the relation between activations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "right"), [
    (call("sigmoid", U), HALF * call("tanh", U / 2) + HALF), (call("tanh", U), 2 * call("sigmoid", 2 * U) - 1),
    (U, call("relu", U) - call("relu", -U)), (call("leaky_relu", U, Rational(1, 5)), call("relu", U) - call("relu", -U) / 5),
    (call("max", call("min", U, Integer(1)), Integer(-1)), call("relu", U + 1) - call("relu", U - 1) - 1),
    (call("abs", U), 2 * call("relu", U) - U), (call("step", U), call("step", 2 * U)), (call("softplus", U), call("softplus", -U) + U),
    (call("softplus", U), -call("log", call("sigmoid", -U))), (call("relu", U), call("relu", 3 * U) / 3),
    (call("max", U, -U), call("abs", U)), (call("min", call("max", U, Integer(0)), Integer(6)), call("relu", U) - call("relu", U - 6)),
])
def test_relations(left: Expr, right: Expr) -> None:
    problem = CASES["sigmoid to tanh"].problem()
    (verdict,) = verdicts(problem, [ActivationRelation((Line(Just(left)), Line(Just(right))))])
    assert verdict.ground is Ground.PROVED and verdict.domain == "for every real argument"


@pytest.mark.parametrize(("left", "right", "point"), [
    (call("sigmoid", U), HALF * call("tanh", U / 2) - HALF, "differ at"), (call("sigmoid", U), HALF * call("tanh", U) + HALF, "differ at"),
    (call("relu", U), -call("relu", -U), "differ at"), (call("relu", U), call("relu", -U), "differ at"),
    (call("sign", U), 2 * call("step", U) - 1, "differ at _u = 0"), (call("step", U), 1 - call("step", -U), "differ at _u = 0"),
    (call("leaky_relu", U), call("relu", U), "differ at"),
    (call("max", call("min", U, Integer(1)), Integer(-1)), call("relu", U + 1) - call("relu", U - 1), "differ at"),
    (call("relu", U), call("relu", U / 2), "differ at"),
])
def test_wrong_relations_are_refused(left: Expr, right: Expr, point: str) -> None:
    problem = CASES["sigmoid to tanh"].problem()
    (verdict,) = verdicts(problem, [ActivationRelation((Line(Just(left)), Line(Just(right))))])
    assert verdict.ground is Ground.REFUTED and point in verdict.method and "line 2 of the relation" in verdict.method


def test_a_jump_beside_the_points_is_not_overlooked() -> None:
    """step(u - 5/13) and its twin that is open on the other side differ at one point only, which no list of points holds."""
    problem = CASES["sigmoid to tanh"].problem()
    shifted = U - Rational(5, 13)
    (verdict,) = verdicts(problem, [ActivationRelation((Line(Just(call("step", shifted))), Line(Just(1 - call("step", -shifted)))))])
    assert verdict.ground is not Ground.PROVED


def test_a_relation_has_one_variable() -> None:
    problem = CASES["a neuron as two"].problem()
    (verdict,) = verdicts(problem, [ActivationRelation((Line(Just(U)), Line(Just(parts_of(problem)["x"]))))])
    assert verdict.ground is Ground.REFUTED and "no other variable" in verdict.method


# ---- parameters and images ---------------------------------------------------------------------------------------------


def corrupted(claims: list[Claim], name: str, wrong: Expr) -> list[Claim]:
    """The same certificate with another parameter, consistently: in its step, in its entry, in the last claim."""
    found: list[Claim] = []
    for c in claims:
        if isinstance(c, Parameter) and c.name == name:
            i, j = (*c.indices, Integer(1), Integer(1))[:2]
            c = replace(c, expr=wrong, entry=wrong if v.is_scalar(wrong) else v.Entry(wrong, i, j))
        elif isinstance(c, SameFunction):
            c = replace(c, parameters=tuple((n, wrong if n == name else e) for n, e in c.parameters))
        found.append(c)
    return found


def wrongs(problem: Problem) -> dict[str, tuple[str, Expr]]:
    s = parts_of(problem)
    ones = OneMatrix(s["W2"].shape[1], Integer(1))
    return {
        "a factor": ("V1", v.scale(Rational(1, 4), s["W1"])), "a factor left out": ("V2", s["W2"]), "a sign": ("v1", v.scale(-HALF, s["b1"])),
        "the sum forgotten": ("v2", s["b2"]), "the sum with another factor": ("v2", MatAdd(s["b2"], v.matmul(s["W2"], ones))),
        "the sum with another sign": ("v2", MatAdd(s["b2"], v.scale(-HALF, v.matmul(s["W2"], ones)))),
        "half the outer bias": ("v2", v.scale(HALF, MatAdd(s["b2"], v.matmul(s["W2"], ones)))),
    }


@pytest.mark.parametrize("what", list(wrongs(CASES["sigmoid to tanh"].problem())))
def test_corrupted_parameters_are_refused(what: str) -> None:
    problem = CASES["sigmoid to tanh"].problem()
    name, wrong = wrongs(problem)[what]
    claims = corrupted(claims_of(problem), name, wrong)
    found = verdicts(problem, claims)
    refused = [x.method for x in found if x.ground is Ground.REFUTED]
    node = "z" if name in ("V1", "v1") else "y"
    assert f"{node} of the second network with its parameters put in, entry (" in refused[0] and " on one side, " in refused[0]
    assert not any(x.ground is Ground.UNDECIDED for x in found)
    holds = tuple(c for c, x in zip(claims, found, strict=True) if x.ground is Ground.PROVED)
    assert unanswered(problem, problem.parts[0], holds) == ("whether the two networks compute the same function",)


def test_no_case_survives_a_doubled_parameter() -> None:
    """Every parameter of every pair that is not zero, doubled."""
    for name in ("sigmoid to tanh", "three layers", "leaky relu to a pair", "hard tanh to a pair", "linear layers collapse", "units permuted",
                 "normalisation folded in", "softmax of two to sigmoid", "units one by one", "a batch"):
        problem = CASES[name].problem()
        claims = claims_of(problem)
        for c in claims:
            if isinstance(c, Parameter) and c.expr != 0:
                found = verdicts(problem, corrupted(claims, c.name, v.scale(Integer(2), c.expr)))
                assert any(x.ground is Ground.REFUTED for x in found), (name, c.name)


def test_a_parameter_must_not_depend_on_the_input() -> None:
    """v2 = y would make every network equal."""
    problem = CASES["sigmoid to tanh"].problem()
    for wrong in (parts_of(problem)["y"], v.matmul(parts_of(problem)["W2"], parts_of(problem)["h"])):
        found = verdicts(problem, corrupted(claims_of(problem), "v2", wrong))
        assert any("v2 must not depend on the input" in x.method for x in found if x.ground is Ground.REFUTED)


def test_shape_name_and_prescription() -> None:
    problem = CASES["part prescribed"].problem()
    s = parts_of(problem)
    for claim, words in (
        (Parameter("a", "v1", s["b2"], (), s["b2"]), "v1 is (M), the expression is (K)"),
        (Parameter("a", "V9", s["b2"], (), s["b2"]), "V9 is no unknown of part a"),
        (Parameter("b", "v1", s["b1"], (), s["b1"]), "no part b that asks for parameters"),
        (Parameter("a", "V1", s["W1"], (), s["W1"]), "the problem prescribes another V1"),
        (Parameter("a", "v1", s["b1"], (), v.scale(Integer(2), s["b1"])), "the entry of v1, entry (1, 1)"),
    ):
        (verdict,) = verdicts(problem, [claim])
        assert verdict.ground is Ground.REFUTED and words in verdict.method


def test_images_are_put_together_by_the_checker() -> None:
    problem = CASES["sigmoid to tanh"].problem()
    claims = claims_of(problem)
    s = parts_of(problem)
    later = [c for c in claims if isinstance(c, Image)]
    (early,) = verdicts(problem, later[-1:])
    assert early.ground is Ground.REFUTED and "y uses V2, for which nothing was established" in early.method
    parameters = [c for c in claims if isinstance(c, Parameter)]
    wrong = Image("a", "z", (Line(Just(s["z"])),))
    assert verdicts(problem, [*parameters, wrong])[-1].ground is Ground.REFUTED
    right = Image("a", "z", (Line(Just(v.scale(HALF, s["z"]))),))
    assert verdicts(problem, [*parameters, right])[-1].ground is Ground.PROVED


def test_the_last_claim_needs_all_that_it_says() -> None:
    problem = CASES["sigmoid to tanh"].problem()
    claims = claims_of(problem)
    k = next(i for i, c in enumerate(claims) if isinstance(c, SameFunction))
    same = claims[k]
    assert isinstance(same, SameFunction)
    for wrong, words in (
        (replace(same, of="h"), "asks for y, not for h"), (replace(same, parameters=same.parameters[:-1]), "not every unknown has its parameter"),
        (replace(same, parameters=(*same.parameters[:-1], ("v2", parts_of(problem)["b2"]))), "v2 = b2 was not established"),
    ):
        assert words in verdicts(problem, [*claims[:k], wrong])[-1].method
    without = [c for c in claims[:k] if not (isinstance(c, Image) and c.node == "y")]
    assert "the output y of the second network was not followed" in verdicts(problem, [*without, same])[-1].method


def test_rewritten_lines() -> None:
    problem = CASES["sigmoid to tanh"].problem()
    s = parts_of(problem)
    h, z = s["h"], s["z"]
    tanh = v.apply(call("tanh", U).fn, (v.scale(HALF, z),))
    ones = OneMatrix(z.shape[0], Integer(1))
    right = v.add(v.scale(HALF, tanh), v.scale(HALF, ones))
    for line, ground in ((right, Ground.PROVED), (v.scale(HALF, tanh), Ground.REFUTED), (v.add(tanh, ones), Ground.REFUTED)):
        (verdict,) = verdicts(problem, [Rewritten("a", h, (Line(Just(line)),))])
        assert verdict.ground is ground, line
    assert "line 1 of the equation for h, entry (1, 1)" in verdict.method


def test_nonsense_is_refused_and_not_a_crash() -> None:
    problem = CASES["sigmoid to tanh"].problem()
    s = parts_of(problem)
    q = v.variable("W1", (v.dimension("Q"), v.dimension("D")))
    column = v.matmul(v.transpose(q), OneMatrix(v.dimension("Q"), Integer(1)))
    j, strange = v.dimension("j"), v.dimension("D")
    for claim, words in (
        (Rewritten("a", s["h"], (Line(Just(s["y"])),)), "the shapes differ, (K) is not (M)"),
        (Rewritten("a", s["h"], (Line(Just(q)),)), "the shapes differ"),
        (Rewritten("a", s["h"], (Line(Just(column)),)), "the shapes differ"),
        (Rewritten("a", s["h"], (Line(Just(v.matmul(s["W1"], column))),)), "Q is no dimension"),
        (Rewritten("a", s["h"], (Line(Just(v.Entry(s["z"], j))),), (j, j)), "is no dimension or index here"),
        (Rewritten("a", s["h"], (Line(Just(v.Entry(s["z"], strange))),), (strange,)), "is no dimension or index here"),
        (Image("a", "nothing", (Line(Just(s["y"])),)), "the second network defines no nothing"),
        (Rewritten("zz", s["h"], (Line(Just(s["h"])),)), "no part zz"),
    ):
        (verdict,) = verdicts(problem, [claim])
        assert verdict.ground is Ground.REFUTED and words in verdict.method, (words, verdict)


def test_permutation_and_signs_are_assumptions() -> None:
    """Without the declaration the same claims are refused: for a matrix that is no permutation they are false."""
    for name, words in (("units permuted", "every permutation matrix P"), ("signs of some units", "all signs s")):
        case = CASES[name]
        claims = claims_of(case.problem())
        same = next(x for x, c in zip(verdicts(case.problem(), claims), claims, strict=True) if isinstance(c, SameFunction))
        assert same.ground is Ground.PROVED and words in same.domain
        bare = Case(case.symbols, case.model, case.template, case.unknowns).problem()
        assert any(x.ground is Ground.REFUTED for x in verdicts(bare, claims))


def test_divisions_are_said() -> None:
    claims = claims_of(CASES["temperature"].problem())
    found = verdicts(CASES["temperature"].problem(), claims)
    (same,) = [x for x, c in zip(found, claims, strict=True) if isinstance(c, SameFunction)]
    assert "all parameters for which the divisions in the answer can be done" in same.domain


# ---- values -------------------------------------------------------------------------------------------------------------


def test_beside() -> None:
    problem = CASES["sigmoid to tanh"].problem()
    claims = claims_of(problem)
    sizes = (("D", 2), ("M", 3), ("K", 2))
    assert verdicts(problem, [*claims, Beside("a", sizes, 3, 30)])[-1].ground is Ground.TESTED
    wrong = corrupted(claims, "v2", parts_of(problem)["b2"])
    last = verdicts(problem, [*wrong, Beside("a", sizes, 3, 30)])[-1]
    assert last.ground is Ground.REFUTED and "the outputs differ by" in last.method
    for claim, words in ((Beside("a", sizes[:2], 3, 30), "a size is needed for each of D, M, K"), (Beside("a", sizes, 99, 30), "at most 20 points"),
                         (Beside("a", (("D", 900), ("M", 900), ("K", 9)), 1, 5), "20000 numbers")):
        last = verdicts(problem, [*claims, claim])[-1]
        assert last.ground is Ground.REFUTED and words in last.method


def test_no_parameters_is_refused_where_there_are_some() -> None:
    """The claim copied to a network for which parameters exist; points that differ in a parameter; a multiplier changed."""
    problem = NONE["relu turned"].problem()
    (claim,) = claims_of(problem)
    assert isinstance(claim, NoParameters) and verdicts(problem, [claim])[0].ground is Ground.PROVED
    tanh = Case(MLP, mlp("tanh(z)"), NONE["relu turned"].template, NONE["relu turned"].unknowns).problem()
    assert verdicts(Case(MLP, mlp("tanh(z)"), "h = tanh(-(W1 @ x + b1))\ny = V @ h + v", NONE["relu turned"].unknowns).problem(),
                    [claim])[0].ground is not Ground.PROVED
    assert tanh.parts
    first, second = claim.points
    other_bias = tuple((n, ((Integer(7),),) if n == "b2" else rows) for n, rows in second.values)
    for wrong, words in (
        (replace(claim, points=(first, Witness(second.sizes, other_bias, second.entry))), "the points may differ in the inputs only"),
        (replace(claim, multipliers=(Integer(1), Integer(1))), "still depends on the unknowns"),
        (replace(claim, multipliers=(Integer(1),)), "each with its multiplier"),
        (replace(claim, points=(first, first)), "may be zero"),
    ):
        (verdict,) = verdicts(problem, [wrong])
        assert verdict.ground is not Ground.PROVED and words in verdict.method


def test_a_true_candidate_cannot_be_refuted() -> None:
    problem = CASES["all prescribed"].problem()
    one = ((Integer(1),),)
    point = Witness((("D", 1), ("M", 1), ("K", 1)), tuple((n, one) for n in MLP))
    (verdict,) = verdicts(problem, [NoParameters("a", (point,), (Integer(1),))])
    assert verdict.ground is not Ground.PROVED


# ---- replay -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sigmoid to tanh", "softmax of two to sigmoid", "units permuted", "units one by one", "normalisation folded in"])
def test_certificates_travel(name: str) -> None:
    problem = CASES[name].problem()
    result = solve(problem)
    data = json.loads(json.dumps(certificate_to_json(result.certificate)))
    back = certificate_from_json(data, problem.graph)
    assert verify(problem, back).holds and [e.claim for e in back.entries] == [e.claim for e in result.certificate.entries]


def test_a_forged_certificate_is_refused() -> None:
    problem = CASES["sigmoid to tanh"].problem()
    data = json.dumps(certificate_to_json(solve(problem).certificate))
    forged = certificate_from_json(json.loads(data.replace('["matmul", "1/2", ["name", "W2"]]', '["matmul", "1/3", ["name", "W2"]]')), problem.graph)
    complaints = verify(problem, forged).complaints
    assert any("y of the second network" in c for c in complaints) and any("not answered" in c for c in complaints)


def test_sixty_four_is_not_a_special_number() -> None:
    """A large literal size is taken as any size, unless it stands for itself somewhere."""
    layers = {n: {"M, D": "64, D", "M": "64", "K, M": "K, 64", "K": "K"}[s] for n, s in LAYERS.items()}
    symbols = {n: {"D": "D", "M, D": "64, D", "M": "64", "K, M": "K, 64", "K": "K"}[s] for n, s in MLP.items()}
    problem = Case(symbols, mlp("sigmoid(z)"), other("tanh(z)"), layers).problem()
    claims = claims_of(problem)
    found = verdicts(problem, claims)
    assert all(x.ground is Ground.PROVED for x in found) and any("64 taken as 2" in x.method for x in found)
    wrong = corrupted(claims, "v2", v.add(parts_of(problem)["b2"], v.scale(Integer(32), OneMatrix(parts_of(problem)["b2"].shape[0], Integer(1)))))
    assert any(x.ground is Ground.REFUTED for x in verdicts(problem, wrong))
