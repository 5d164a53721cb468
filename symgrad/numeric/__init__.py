"""Numbers from a graph: Python text generated from its definitions, run by Python or NumPy.

`cases` turns expressions into a program of `values` (`products` for matrices, `elementary` and `calculus` for functions),
`source` prints it, `compiled` makes it callable, `kernels` holds what the text calls.
"""

from symgrad.numeric.compiled import CompiledFunction, compile_graph
from symgrad.numeric.differences import finite_difference, worst_error

__all__ = ["CompiledFunction", "compile_graph", "finite_difference", "worst_error"]
