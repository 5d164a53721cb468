"""find_parameters: the pairs of networks of tests/equivalents.py, their answers evaluated both ways by NumPy, and random ones."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from symgrad.check.checker import Checker, unanswered
from symgrad.language.claims import ActivationRelation, Image, NoParameters, Parameter, Rewritten, SameFunction
from symgrad.language.errors import Unsupported
from symgrad.language.problem import Problem
from symgrad.language.steps import Derivation, Ground
from symgrad.pipeline import solve
from symgrad.questions import derive
from symgrad.reader.read import read_text
from tests.equivalents import CASES, LAYERS, MLP, NONE, UNSUPPORTED, Case, agree, draw, mlp, run, value


def checked(problem: Problem) -> Derivation:
    """The derivation of the one part, every claim of which holds, the numeric comparison alone tested."""
    (part,) = problem.parts
    derivation, checker = derive(problem, part), Checker(problem)
    holds = []
    for step in derivation.all_steps():
        verdict = checker.check(step.claim)
        wanted = Ground.TESTED if step.label == "side by side" else Ground.PROVED
        assert verdict.ground is wanted, (step.label, type(step.claim).__name__, verdict)
        holds.append(step.claim)
    assert unanswered(problem, part, tuple(holds)) == ()
    return derivation


def parameters(derivation: Derivation) -> dict[str, object]:
    (same,) = [s.claim for s in derivation.all_steps() if isinstance(s.claim, SameFunction)]
    return dict(same.parameters)


def both_ways(case: Case, derivation: Derivation, seed: int) -> None:
    """The two let-lists executed by NumPy at random numbers give the same output; the stated answers are the derived ones."""
    rng = np.random.default_rng(seed)
    found = parameters(derivation)
    for _ in range(3):
        _, env = draw(case, rng)
        known = {n: value(e, env) for n, e in found.items()}
        output = case.extra.partition('output = "')[2].partition('"')[0] or (case.of if f"{case.of} =" in case.template else "y")
        first, second = run(case.model, env)[case.of], run(case.template, env | known)[output]
        assert agree(first, second), (first, second)
        for name, text in case.answers.items():
            assert agree(known[name], run(f"answer = {text}", env)["answer"]), name


@pytest.mark.parametrize("name", CASES)
def test_pairs(name: str) -> None:
    case = CASES[name]
    both_ways(case, checked(case.problem()), sum(map(ord, name)))


@pytest.mark.parametrize("name", NONE)
def test_none_exist(name: str) -> None:
    derivation = checked(NONE[name].problem())
    assert [type(s.claim) for s in derivation.steps] == [NoParameters] and not derivation.answers


@pytest.mark.parametrize("name", NONE)
def test_none_exist_by_numpy(name: str) -> None:
    """Whatever the unknowns, the weighted outputs at the claimed points differ."""
    case = NONE[name]
    (step,) = derive(case.problem(), case.problem().parts[0]).steps
    claim = step.claim
    assert isinstance(claim, NoParameters)
    rng = np.random.default_rng(5)
    for _ in range(5):
        total = 0.0
        unknown = {}
        for n, shape in case.unknowns.items():
            sizes = dict(claim.points[0].sizes)
            dims = [sizes[d.strip()] for d in shape.split(",")] if shape else []
            unknown[n] = rng.normal(size=(*dims, 1)[:2] if len(dims) == 1 else tuple(dims)) if dims else float(rng.normal())
        for w, m in zip(claim.points, claim.multipliers, strict=True):
            env = {n: np.array([[float(x) for x in row] for row in rows]) for n, rows in w.values} | dict(w.sizes)
            env = {n: a.item() if np.ndim(a) == 2 and not case.symbols.get(n, "") else a for n, a in env.items()}
            given = {k.strip(): run("u = " + t.strip().strip('"'), env)["u"]
                     for k, _, t in (x.partition("=") for x in case.extra.partition("{")[2].partition("}")[0].split(",") if x.strip())}
            i, j = (k - 1 for k in w.entry)
            second = np.atleast_2d(run(case.template, env | unknown | given)["y"])[i, j]
            total += float(m) * (second - np.atleast_2d(run(case.model, env)["y"])[i, j])
        assert abs(total) > 1e-6


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_says_what_was_tried(name: str) -> None:
    case, words = UNSUPPORTED[name]
    problem = case.problem()
    with pytest.raises(Unsupported) as error:
        derive(problem, problem.parts[0])
    assert words in str(error.value) and "no parameters were found, and none were shown not to exist" in str(error.value)


KINDS = ("sigmoid({})", "tanh({})", "relu({})", "leaky_relu({}, 1/4)", "max(min({}, 2), -1)", "softplus({})", "abs({})", "sqrt(1 + ({})^2)")
SCALES = ("", "2*", "1/2*", "-", "3*")


def random_case(seed: int) -> Case:
    """One to three layers; each activation is the same, another of its family, or a pair of relus in the second network."""
    rng = random.Random(seed)
    depth = rng.randint(1, 3)
    widths = ["D", *(["M", "N", "B"][:depth]), "K"]
    symbols, unknowns, model, template = {"x": "D"}, {}, [], []
    before, after = "x", ["x"]
    for k in range(1, depth + 2):
        shape = f"{widths[k]}, {widths[k - 1]}"
        symbols |= {f"W{k}": shape, f"b{k}": widths[k]}
        used = []
        for j, source in enumerate(after):
            unknowns[f"V{k}_{j}"] = shape
            used.append(f"V{k}_{j} @ {source}")
        unknowns[f"v{k}"] = widths[k]
        if k == depth + 1:
            model.append(f"y = W{k} @ {before} + b{k}")
            template.append(f"y = {' + '.join(used)} + v{k}")
            break
        kind = rng.choice(KINDS)
        model.append(f"h{k} = {kind.format(f'{rng.choice(SCALES)}(W{k} @ {before} + b{k})')}")
        inner = f"{' + '.join(used)} + v{k}"
        before = f"h{k}"
        if kind in KINDS[3:5] or kind == KINDS[6] or (kind == KINDS[2] and rng.random() < 0.5):
            again = []
            for j, source in enumerate(after):
                unknowns[f"Q{k}_{j}"] = shape
                again.append(f"Q{k}_{j} @ {source}")
            unknowns[f"q{k}"] = widths[k]
            template += [f"g{k} = relu({inner})", f"f{k} = relu({' + '.join(again)} + q{k})"]
            after = [f"g{k}", f"f{k}"]
        else:
            partner = {KINDS[0]: KINDS[1], KINDS[1]: KINDS[0], KINDS[5]: "log(sigmoid({}))"}.get(kind, kind) if rng.random() < 0.7 else kind
            template.append(f"g{k} = {partner.format(inner)}")
            after = [f"g{k}"]
    return Case(symbols, "\n".join(model), "\n".join(template), unknowns)


@pytest.mark.parametrize("seed", range(20))
def test_random_networks(seed: int) -> None:
    case = random_case(seed)
    both_ways(case, checked(case.problem()), seed)


def test_the_steps_that_a_reader_sees() -> None:
    """ActivationRelation, substitution, reading off, second network, verdict; matrix and index form of every parameter."""
    problem = CASES["sigmoid to tanh"].problem()
    derivation = checked(problem)
    kinds = [type(s.claim) for s in derivation.steps]
    assert kinds[0] is ActivationRelation and kinds.index(Parameter) < kinds.index(Image) < kinds.index(SameFunction)
    assert [a.label for a in derivation.answers] == ["V1", "V1_ji", "v1", "v1_j", "V2", "V2_kj", "v2", "v2_k"]
    relation = derivation.steps[0].claim
    assert isinstance(relation, ActivationRelation) and len(relation.lines) == 6
    assert str(relation.lines[-1].form.expr) == "tanh(_u/2)/2 + 1/2"
    text = str(derivation.answers[-1].right.expr)
    assert text == "Entry(b2, k, 1) + IndexSum(Entry(W2, k, j), j, M)/2"


@pytest.mark.parametrize(("form", "wanted"), [("matrix", {()}), ("index", {1}), ("both", {(), 1})])
def test_form(form: str, wanted: set[object]) -> None:
    case = CASES["sigmoid to tanh"]
    problem = Case(case.symbols, case.model, case.template, case.unknowns, extra=f'form = "{form}"').problem()
    found = {s.claim.indices and len(s.claim.indices) for s in checked(problem).steps if hasattr(s.claim, "left")}
    assert found == wanted


@pytest.mark.parametrize("name", ["sigmoid to tanh in one line", "three layers", "skip connections", "hard tanh to a pair", "a pair to hard tanh"])
def test_entries_alone_are_proved_as_well(name: str) -> None:
    """Without matrix forms among the steps: they stand below the entries, and nested layers are still followed to the output."""
    case = CASES[name]
    derivation = checked(replace(case, extra=f'{case.extra}\nform = "index"').problem())
    rewritten = [s.claim for s in derivation.steps if isinstance(s.claim, Rewritten)]
    assert rewritten and all(c.indices for c in rewritten)
    both_ways(case, derivation, sum(map(ord, name)))


def test_sizes_are_evaluated() -> None:
    case = CASES["sigmoid to tanh"]
    problem = Case(case.symbols, case.model, case.template, case.unknowns, extra="sizes = { D = 3, M = 5, K = 2 }").problem()
    derivation, checker = checked(problem), Checker(problem)
    verdicts = [checker.check(s.claim) for s in derivation.all_steps()]
    (tested,) = [x for x in verdicts if x.ground is Ground.TESTED]
    assert "5 random rational points with D = 3, M = 5, K = 2" in tested.domain and "differ by at most" in tested.method


def test_free_unknowns_are_named() -> None:
    derivation = checked(CASES["an unused unit"].problem())
    assert any("Free to choose: Q, q" in str(note[0]) for note in derivation.notes)


@pytest.mark.parametrize("units", [64])
def test_sixty_four_units(units: int) -> None:
    """Written unit by unit, and as one layer of 64: derived and proved definition by definition, never as a whole."""
    symbols, unknowns, model, template = {"x1": "", "x2": "", "c": ""}, {"t": ""}, [], []
    for j in range(1, units + 1):
        symbols |= dict.fromkeys((f"w{j}_1", f"w{j}_2", f"b{j}", f"u{j}"), "")
        unknowns |= dict.fromkeys((f"p{j}_1", f"p{j}_2", f"q{j}", f"r{j}"), "")
        model += [f"z{j} = w{j}_1*x1 + w{j}_2*x2 + b{j}", f"h{j} = sigmoid(z{j})"]
        template.append(f"g{j} = tanh(p{j}_1*x1 + p{j}_2*x2 + q{j})")
    model.append("y = " + " + ".join(f"u{j}*h{j}" for j in range(1, units + 1)) + " + c")
    template.append("y = " + " + ".join(f"r{j}*g{j}" for j in range(1, units + 1)) + " + t")
    one_by_one = Case(symbols, "\n".join(model), "\n".join(template), unknowns)
    layer = {"x": "10", "W1": f"{units}, 10", "b1": f"{units}", "W2": f"5, {units}", "b2": "5"}
    as_layer = Case(layer, mlp("sigmoid(z)"), "h = tanh(V1 @ x + v1)\ny = V2 @ h + v2", {n: {"M, D": f"{units}, 10", "M": str(units),
                    "K, M": f"5, {units}", "K": "5"}[s] for n, s in LAYERS.items()})
    assert set(MLP) == set(layer)
    for case in (one_by_one, as_layer):
        problem = case.problem()
        derivation, checker = derive(problem, problem.parts[0]), Checker(problem)
        for step in derivation.all_steps():
            if step.label != "side by side":
                assert checker.check(step.claim).ground is Ground.PROVED, step.label


SCALED = '''
format = 1
id = "x"
title = "x"
[symbols]
x = { shape = "N", role = "input" }
W = "M, N"
b = "M"
V = "K, M"
c = "K"
[model]
let = """
h = relu(W @ x + b)
y = V @ h + c
"""
[[part]]
label = "a"
ask = "find_parameters"
of = "y"
template = """
g = relu(U @ x + u)
o = FACTOR * V @ g + c
"""
unknowns = { U = "M, N", u = "M" }
[expected]
"a.U" = "1/(FACTOR) * W"
"a.u" = "1/(FACTOR) * b"
'''


@pytest.mark.parametrize("factor", ["1/3", "3", "1/4", "4", "1/2"])
def test_a_fixed_factor_behind_rectifiers(factor: str) -> None:
    """relu(s z)/s = relu(z) for s > 0: the first layer takes up the factor that the second network has between its layers."""
    text = SCALED.replace("FACTOR", factor)
    problem, expected = read_text(text, "x.toml")
    result = solve(problem, expected)
    assert not result.parts[0].failure and len(result.parts[0].expected) == 2 and all(ok for _, ok in result.parts[0].expected)
    wrong, stated = read_text(text.replace('"1/(', '"2/(', 1), "x.toml")
    assert not all(ok for _, ok in solve(wrong, stated).parts[0].expected)
