"""Certificates travel: what goes out comes back the same, and nothing else comes in."""

from __future__ import annotations

import copy
import json
import typing
from pathlib import Path
from typing import Any

import pytest
from sympy import Expr, Float, Integer, MatrixSymbol, Rational, sin

from symgrad.language import forms as F
from symgrad.language.claims import Claim, Line, Value
from symgrad.language.errors import SpecError
from symgrad.language.functions import scalar
from symgrad.language.steps import Ground, Verdict
from symgrad.language.wire import FORMAT, Decoder, certificate_from_json, certificate_to_json, encode
from symgrad.pipeline import solve
from symgrad.reader.read import read
from tests.making import gradient, problem

PROBLEMS = sorted((Path(__file__).parents[2] / "problems").glob("*.toml"))
SMALL = ("residual-mlp", "half-squared-norm", "two-relu-two-sigmoid", "forward-table", "relu-network", "half-squared-norm-2x2")
P = problem('z = W @ x\ng1 = g(z)\nL = norm(g1)^2 + loss(z, t)', 'W = { shape = "K, N" }\nx = { shape = "N" }\nt = { shape = "K" }\nc = {}',
            'ask = "backward"\nof = "L"\nwrt = ["x"]', "[functions]\nloss = { arguments = 2, returns = 'scalar' }")


def through(e: Expr) -> Expr:
    return Decoder(P.graph).decode(json.loads(json.dumps(encode(e))), Expr)


@pytest.mark.parametrize("path", [f for f in PROBLEMS if f.stem in SMALL], ids=lambda f: f.stem)
def test_certificates_come_back_the_same(path: Path) -> None:
    p, _ = read(path)
    certificate = solve(p).certificate
    text = json.dumps(certificate_to_json(certificate))
    again = certificate_from_json(json.loads(text), p.graph)
    assert again == certificate
    assert json.dumps(certificate_to_json(again)) == text


def test_every_definition_comes_back_the_same() -> None:
    for node in P.graph.nodes:
        assert through(node.expr) == node.expr
    for e in (Integer(0), Rational(-3, 7), Integer(10**100), scalar("c") ** 2, MatrixSymbol("x", *P.graph.shape("x"))):
        assert through(e) == e


@pytest.mark.parametrize("form", [
    F.Just(scalar("c")), F.Sum((F.Just(Integer(1)), F.Just(Integer(2)))), F.Product((F.Just(scalar("c")),)), F.Decimal(Rational(1, 8), 3),
    F.PartialOf("z", "x"),
    F.Substituted(scalar("c"), (("c", Rational(1, 2)),)), F.TotalOf("L", "x"), F.AdjointOf("z"), F.Pullback("z", "x"), F.Stacked("L", "x"),
    F.Tuple((F.Just(Integer(1)),)), F.Array(((F.Just(Integer(1)), F.Decimal(Rational(1, 8), 3)),)),
    F.Comparison(F.Comparison(F.Just(scalar("c")), "=", F.Just(Integer(2))), ">", F.Just(Integer(0))), F.JacobianTimes(F.Stacked("L", "x"), "L",
    True),
], ids=lambda f: type(f).__name__)
def test_forms(form: F.Form) -> None:
    claim = Value("z", (Line(form, ("words ", form), True),))
    assert Decoder(P.graph).decode(json.loads(json.dumps(encode(claim))), Claim) == claim


def test_every_kind_of_form_and_claim_has_a_name_of_its_own() -> None:
    for union in (F.Form, Claim):
        names = [k.__name__ for k in typing.get_args(union)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("value", [Float(0.1), sin(scalar("c")), object(), {1, 2}, 0.5])
def test_what_does_not_travel(value: Any) -> None:
    with pytest.raises(TypeError, match="does not travel"):
        encode(value)


@pytest.mark.parametrize(("data", "message"), [
    ("1/0", "is not a number"), ("1e9", "is not a number"), ("0x10", "is not a number"), ("__import__('os')", "is not a number"),
    ("9" * 3000, "is not a number"), (1, "is not an expression"),
    (None, "is not an expression"), ([], "is not an expression"), (["name", "nowhere"], "the problem has no nowhere"), (["name", "c_bar_bar"],
    "the problem has no"),
    (["name", 1], "unknown operation 'name'"), (["dimension", "N" * 50], "unknown operation 'dimension'"), (["eval", "1"],
    "unknown operation 'eval'"), (["system", "ls"], "unknown operation"),
    (["pow", "2", "1001"], "exponent out of range"), (["pow", "2"], "exponent out of range"), (["pow", "2", ["name", "c"]], "exponent out of range"),
    (["fn", "g", [0]], "a Expr is expected|a function|is not"), (["fn", "os.system", [0]], "the problem applies no function"), (["fn", "g", [99]],
    "derivative orders out of range"),
    (["fn", "exp", [0, 0]], "exp takes 1 arguments, found 2"), (["call", ["fn", "exp", [0]]], "is not a function of 0 arguments"), (["call", ["fn",
    "exp", [0]], "1", "2"], "is not a function of 2 arguments"),
    (["call", "1", "2"], "is not a function of 1 arguments"), (["mul", ["fn", "exp", [0]], "2"], "a function without its arguments in mul"),
    (["transpose"], "transpose cannot be applied"), (["add"], "add cannot be applied"),
    (["transpose", ["name", "W"], ["name", "W"]], "transpose cannot be applied"),
    (["hadamard", "1", "2"], "hadamard cannot be applied"), (["entry"], "entry cannot be applied"), (["matmul", ["fn", "exp", [0]]],
    "a function without its arguments"),
])
def test_expressions_from_strangers(data: Any, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Decoder(P.graph).decode({"expr": data}, Expr)


def test_depth_is_bounded() -> None:
    deep: Any = ["name", "c"]
    for _ in range(5000):
        deep = ["add", deep, "1"]
    with pytest.raises(SpecError, match="too large or nested too deeply"):
        Decoder(P.graph).decode({"expr": deep}, Expr)
    powers: Any = ["name", "c"]
    for _ in range(4):
        powers = ["pow", powers, "900"]
    with pytest.raises(SpecError, match="degree"):
        Decoder(P.graph).decode({"expr": powers}, Expr)


CERTIFICATE = certificate_to_json(solve(gradient("y = a*x", "a = 2\nx = 3", "y", "a")).certificate)
PLAIN = gradient("y = a*x", "a = 2\nx = 3", "y", "a")


def changed(*path: Any, to: Any) -> Any:
    data = copy.deepcopy(CERTIFICATE)
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return data


@pytest.mark.parametrize(("data", "message"), [
    (changed("format", to=2), f"not a symgrad certificate of format {FORMAT}"), (changed("format", to="1"), "not a symgrad certificate"), ([],
    "not a symgrad certificate"),
    (None, "not a symgrad certificate"), (changed("entries", to={}), "a list is expected"), (changed("problem", to=3), "is not a str"),
    (changed("extra", to=1), "has the fields"),
    (changed("entries", 0, "claim", "kind", to="Axiom"), "'Axiom' is not one of"), (changed("entries", 0, "verdict", "ground", to="certain"),
    "'certain' is not one of"),
    (changed("entries", 0, "claim", to=None), "is none of"), (changed("entries", 0, to=[]), "a Certified is expected"), (changed("kind",
    to="Verdict"), "a Certificate is expected"),
])
def test_certificates_from_strangers(data: Any, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        certificate_from_json(data, PLAIN.graph)


def test_missing_and_unknown_fields() -> None:
    for change in ("drop", "add"):
        data = copy.deepcopy(CERTIFICATE)
        claim = data["entries"][0]["claim"]
        claim.pop("name") if change == "drop" else claim.update(proved=True)
        with pytest.raises(SpecError, match="has the fields"):
            certificate_from_json(data, PLAIN.graph)


def test_true_is_no_number() -> None:
    with pytest.raises(SpecError):
        Decoder(P.graph).decode(True, int)
    assert Decoder(P.graph).decode(3, int) == 3
    assert Decoder(P.graph).decode(encode(Verdict(Ground.PROVED, "m", "d", ("c",))), Verdict) == Verdict(Ground.PROVED, "m", "d", ("c",))
