"""symgrad: symbolic derivation of the mathematics of neural networks, every step checked.

    g = symgrad.parse("z = W @ x + b\\nh = sigmoid(z)\\nL = 1/2 * norm(h - t)^2",
                      shapes={"W": "K, N", "x": "N", "b": "K", "t": "K"})
    s = g.backward("L", wrt=["W", "x"])
    s.answers["W_bar"], s.proved, s.lambdify()

Importing this costs no SymPy: each name below is resolved when it is first used.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from symgrad.api import (
        Conventions,
        Expression,
        GradientCheck,
        Graph,
        Model,
        Node,
        Problem,
        Refused,
        ShapeError,
        Solution,
        SpecError,
        SpecErrors,
        SymgradError,
        Unsupported,
        Variable,
        check_gradient,
        define,
        graph,
        ops,
        parse,
        read,
        solve,
        variable,
        verify,
    )

__all__ = [
    "Conventions", "Expression", "GradientCheck", "Graph", "Model", "Node", "Problem", "Refused", "ShapeError", "Solution", "SpecError",
    "SpecErrors", "SymgradError", "Unsupported", "Variable", "__version__", "check_gradient", "define", "graph", "ops", "parse",
    "read", "solve", "variable", "verify",
]


def __getattr__(name: str) -> Any:
    """The public names, from symgrad.api."""
    if name in __all__:
        from symgrad import api

        found = globals()[name] = getattr(api, name)
        return found
    raise AttributeError(f"module 'symgrad' has no attribute {name!r}; there are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
