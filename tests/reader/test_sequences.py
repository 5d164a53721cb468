"""A sequence is refused by name, on its line, and what only follows from that is not reported."""

from __future__ import annotations

import pytest

from symgrad.language.errors import SpecErrors
from symgrad.reader.read import read_text

PROBLEM = """format = 1
id = "rnn"
title = "RNN"
[symbols]
h0 = "K"
W = "K, K"
[model]
let = '''
%s = tanh(W @ h0)
L = norm(h)^2
'''
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = ["W"]
"""


@pytest.mark.parametrize("left", ["h[t]", "h[1]", "h [t]"])
def test_a_definition_for_every_step_is_unsupported_by_name(left: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        read_text(PROBLEM % left, "rnn.toml")
    (error,) = caught.value.errors
    assert error.place is not None and error.place.line == 9
    assert error.message.startswith(f"unsupported: {left} on the left of '='")
    assert "one definition a step" in error.message
