"""Reading ask = "fill": what is understood, and what an error says, with its line."""

from __future__ import annotations

import pytest
from sympy import Rational

from symgrad.language.errors import SpecError, SpecErrors
from symgrad.language.fill import Fill
from symgrad.language.functions import scalar
from symgrad.reader.comparisons import comparisons
from symgrad.reader.letlist import Scope
from symgrad.reader.read import read_text

HEAD = """format = 1
id = "t"
title = "T"
[symbols]
x1 = { role = "input" }
x2 = { role = "input" }
[[part]]
label = "a"
ask = "fill"
"""
GOOD = {
    "template": '"max({i} + {2}, 0) - {v}"', "positive": '"cross"', "slots": '{ i = ["x1", "-x1"], 2 = ["x2", 0], v = [1, 0.5, "1/3"] }',
    "points": '[ { x1 = 1, x2 = "1/2", label = "cross" }, { x1 = -1.5, x2 = 0, label = "dot" } ]',
}


def text(**changes: str | None) -> str:
    fields = {**GOOD, **changes}
    return HEAD + "\n".join(f"{k} = {v}" for k, v in fields.items() if v is not None) + "\n"


def ask(**changes: str | None) -> Fill:
    problem, _ = read_text(text(**changes), "t.toml")
    found = problem.parts[0].ask
    assert isinstance(found, Fill)
    return found


def complaint(**changes: str | None) -> str:
    with pytest.raises(SpecErrors) as error:
        read_text(text(**changes), "t.toml")
    return str(error.value)


def test_what_is_read() -> None:
    a = ask()
    assert a.inputs == ("x1", "x2") and a.count == 12 and a.positive == "cross" and not a.strict
    assert [s.name for s in a.slots] == ["i", "2", "v"]
    assert a.slots[2].choices == (1, Rational(1, 2), Rational(1, 3))
    assert a.points[0].at == (1, Rational(1, 2)) and a.points[1].at == (Rational(-3, 2), 0)
    assert a.labels == ("cross", "dot") and a.asked("dot") == "<"
    assert ask(decision='"> 0"').asked("cross") == ">"


def test_inputs_are_what_the_points_give_in_the_order_of_the_symbols() -> None:
    assert ask(points='[ { x2 = 1, x1 = 2, label = "cross" } ]').points[0].at == (2, 1)
    only = ask(template='"{i} + 1"', slots='{ i = ["x1"] }', points='[ { x1 = 2, label = "cross" } ]')
    assert only.inputs == ("x1",)


def test_nodes_of_a_let_list_are_put_in() -> None:
    whole = text(slots='{ i = ["h", "-h"], 2 = ["x2", 0], v = [1] }').replace("[[part]]", "[model]\nlet = '''\nh = relu(x1 - 1)\n'''\n[[part]]", 1)
    problem, _ = read_text(whole, "t.toml")
    found = problem.parts[0].ask
    assert isinstance(found, Fill) and found.inputs == ("x1", "x2") and "relu" in str(found.slots[0].choices[0])


def test_constants_with_a_stated_number_are_put_in() -> None:
    whole = text(slots='{ i = ["a*x1", "x1"], 2 = ["x2", 0], v = [1, "c"] }')
    whole = whole.replace("[[part]]", "a = 2\nc = { value = '1/2' }\n[[part]]", 1)
    problem, _ = read_text(whole, "t.toml")
    found = problem.parts[0].ask
    assert isinstance(found, Fill) and found.inputs == ("x1", "x2")
    assert str(found.slots[0].choices[0]) == "2*x1" and found.slots[2].choices == (1, Rational(1, 2))


@pytest.mark.parametrize(("changes", "words"), [
    ({"template": '"{i} + {ii} + {v}"'}, "t.toml:10: template: unknown name {ii}; did you mean {i}?"),
    ({"template": '"{i} + {v}"'}, "template: the slot 2 does not stand in it; write {2} where its choice goes"),
    ({"template": '"{i} + {2} + {v} + w"'}, "template: unknown name w"),
    ({"template": '"{i} + {2} + {v} + g(x1)"'}, "template: g has no definition, so the sign of f cannot be known"),
    ({"template": '"{i} + {2} + {v} + ones(2)"'}, "template"),
    ({"template": '"{i.__class__} + {2} + {v}"'}, "cannot be used here"),
    ({"template": '"{i!r} + {2} + {v}"'}, "cannot read"),
    ({"template": '"{i, 2} + {2} + {v}"'}, "cannot be used here"),
    ({"template": '"{{i}} + {2} + {v}"'}, "cannot be used here"),
    ({"slots": '{ i = ["x1", "{2}"], 2 = ["x2"], v = [1] }'}, "slot i: the choice '{2}' has a brace"),
    ({"slots": '{ i = ["x1", "x3"], 2 = ["x2"], v = [1] }'}, "slot i: unknown name x3; the names here are x1, x2"),
    ({"slots": '{ i = ["x1", "x1"], 2 = ["x2"], v = [1] }'}, "slot i offers x1 twice"),
    ({"slots": '{ i = [], 2 = ["x2"], v = [1] }'}, "at least 1 item"),
    ({"slots": "{ }"}, "at least 1 item"),
    ({"slots": '{ "i j" = ["x1"], i = ["x1"], 2 = ["x2"], v = [1] }'}, "'i j' is not the name of a slot"),
    ({"points": '[ { x1 = 1, label = "cross" } ]'}, "point 1 gives no x2; f is a function of x1, x2"),
    ({"points": '[ { x1 = 1, x2 = 1 } ]'}, "point 1 has no label"),
    ({"points": '[ { x1 = 1, x2 = 1, label = " " } ]'}, "point 1 has an empty label"),
    ({"points": '[ { x1 = 1, x2 = "x1", label = "cross" } ]'}, "unknown name x1"),
    ({"points": '[ { x1 = 1, x2 = "sqrt(2)", label = "cross" } ]'}, "point 1: x2 = 'sqrt(2)' is not a number or a fraction"),
    ({"points": '[ { x1 = 1, x2 = 1, x9 = 1, label = "cross" } ]'}, "points: there is no x9; the names here are x1, x2"),
    ({"points": '[ ]'}, "there is no data; give points = [...] or regions = [...]"),
    ({"positive": '"crosses"'}, "t.toml:11: positive: nothing is labelled crosses; did you mean cross?"),
    ({"decision": '">= 1"'}, "decision"),
    ({"regions": '[ { where = "x1 + x2", label = "cross" } ]'}, "is not a comparison"),
    ({"regions": '[ { where = "x1 * x2 > 1", label = "cross" } ]'}, "x1*x2 is not piecewise linear"),
    ({"regions": '[ { where = "abs(x1) > 1", label = "cross" } ]'}, "is not linear in"),
    ({"slots": '{ i = ["x1"], 2 = [' + ",".join(f'"{k}"' for k in range(100)) + '], v = [' + ",".join(f'"{k}"' for k in range(100)) + '], w = ['
      + ",".join(f'"{k}"' for k in range(11)) + "] }", "template": '"{i} + {2} + {v} + {w}"'}, "110,000 combinations; at most 100,000 are tried"),
])
def test_an_error_says_what_was_found_and_what_to_do(changes: dict[str, str], words: str) -> None:
    assert words in complaint(**changes)


def test_all_errors_are_reported_together() -> None:
    found = complaint(slots='{ i = ["x3"], 2 = ["x4"], v = [1] }', positive='"crosses"')
    assert all(words in found for words in ("slot i: unknown name x3", "slot 2: unknown name x4", "nothing is labelled crosses"))


# ---- comparisons -------------------------------------------------------------------------------------------------------

SCOPE = Scope({"x": scalar("x"), "y": scalar("y")}, {})


@pytest.mark.parametrize(("words", "read"), [
    ("x >= 1 and y <= 0", ["x >= 1", "y <= 0"]), ("0 <= x <= 1, y = 2*x", ["0 <= x", "x <= 1", "y = 2*x"]), ("x ≥ 1 ∧ y ≤ 0", ["x >= 1", "y <= 0"]),
    ("x == 1 & y > 0", ["x = 1", "y > 0"]), ("max(x, y) > 0", ["max(x, y) > 0"]),
])
def test_comparisons(words: str, read: list[str]) -> None:
    assert [f"{c.left} {c.relation} {c.right}" for c in comparisons(words, SCOPE)] == read


@pytest.mark.parametrize(("words", "message"), [
    ("x", "is not a comparison"), ("", "at least one comparison"), ("x >= 1 or y >= 1", "joined by 'and'"), ("not x > 1", "joined by 'and'"),
    ("x != 1", "!= is not read"), ("x > ", "is not a comparison"), ("x > z", "unknown name z"), (" and ".join(["x > 1"] * 60), "at most 50"),
])
def test_comparisons_that_cannot_be_read(words: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        comparisons(words, SCOPE)
