"""What is said of a value of the wrong type: once, with what is needed there and what was found."""

from __future__ import annotations

import pytest

from symgrad.language.errors import SpecErrors
from symgrad.reader.read import read_text

WHOLE = 'format = 1\nid = "p"\ntitle = "t"\n[symbols]\nx = {text}\n[model]\nlet = "{let}"\n[[part]]\nlabel = "a"\n{ask}\n'


def errors(symbols: str = "x = {}", part: str = 'ask = "forward"', top: str = "") -> list[str]:
    text = f'format = 1\nid = "p"\ntitle = "t"\n{top}\n[symbols]\n{symbols}\n[model]\nlet = "y = 2*x"\n[[part]]\nlabel = "a"\n{part}\n'
    with pytest.raises(SpecErrors) as error:
        read_text(text, "p.toml")
    return [str(e) for e in error.value.errors]


SYMBOL = 'symbols.x: a symbol is a table such as { shape = "2", value = [1, 2] }, a shape such as "N", or a number; found '


@pytest.mark.parametrize(("symbols", "message"), [
    ("x = true", SYMBOL + "true"), ("x = [[1, 2], [3]]", SYMBOL + "[[1, 2], [3]]"), ("x = nan", SYMBOL + "nan"),
    ("x = 1979-05-27", SYMBOL + "1979-05-27"),
    ("x = { vale = 2 }", "unknown key symbols.x.vale; did you mean value?"),
    ('x = { role = "inpt" }', 'symbols.x.role: "input", "parameter" or "given" is needed; found "inpt"'),
    ("x = { latex = 3 }", "symbols.x.latex: a text in quotes is needed; found 3"),
])
def test_of_symbols(symbols: str, message: str) -> None:
    assert errors(symbols) == [f"p.toml:6: {message}"]


@pytest.mark.parametrize(("part", "message"), [
    ('ask = "gradient"\nof = "y"\nwrt = "x"', 'part.0.wrt: a list in brackets or "parameters" is needed, as in ["x"]; found "x"'),
    ('ask = "gradient"\nof = 3\nwrt = ["x"]', "part.0.of: a text in quotes is needed; found 3"),
    ('ask = "construct"\nlayers = [2, 1]\nproperty = "x1"\ndomain = "boolean"',
     'part.0.domain: "reals", "integers" or "booleans" is needed; found "boolean"'),
])
def test_of_parts(part: str, message: str) -> None:
    (found,) = errors(part=part)
    assert found.endswith(message)


def test_names_with_patterns() -> None:
    (found,) = errors(part='ask = "forward"\nstatement = 5')
    assert found.endswith("part.0.statement: a text in quotes is needed; found 5")
    with pytest.raises(SpecErrors, match="small letters, digits, - and _ are needed.*found \"../x\""):
        read_text('format = 1\nid = "../x"\ntitle = "t"\n', "p.toml")


@pytest.mark.parametrize(("text", "value"), [('"1/2"', "1/2"), ('"-0.5"', "-1/2"), ('"2.5"', "5/2"), ("0.25", "1/4"), ('"-3"', "-3")])
def test_a_text_that_is_a_number_is_a_value(text: str, value: str) -> None:
    problem, _ = read_text(WHOLE.format(text=text, let="y = 2*x", ask='ask = "forward"'), "p.toml")
    assert str(problem.values[0].entries[0][0]) == value


def test_a_text_that_is_a_size_is_a_shape() -> None:
    problem, _ = read_text(WHOLE.format(text='"3"', let="y = sum(x)", ask='ask = "backward"\nof = "y"\nwrt = ["x"]'), "p.toml")
    assert str(problem.graph.shape("x")[0]) == "3" and not problem.values


def test_a_bracket_that_is_never_closed() -> None:
    with pytest.raises(SpecErrors, match=r"p.toml:8: 'y = exp\(x z = 2' opens 1 brackets and closes 0"):
        read_text("format = 1\nid = \"p\"\ntitle = \"t\"\n[symbols]\nx = {}\n[model]\nlet = '''\ny = exp(x\nz = 2\n'''\n[[part]]\nlabel = \"a\"\n"
                  'ask = "forward"\n', "p.toml")
