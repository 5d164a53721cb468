"""symgrad from Python: models from text or from operators, questions as methods, results that show themselves in notebooks.

    model.py      Model: a graph and its questions          solution.py   Solution: answers, verdicts, sheets, numbers
    expression.py W @ x + b, with shape checks               checked.py    somebody's own gradient against the derived one
    parsing.py    models from let-lists and expressions      files.py      problem files and certificates
"""

from symgrad.api import ops
from symgrad.api.checked import GradientCheck, check_gradient
from symgrad.api.expression import Expression, define, variable
from symgrad.api.files import read, solve, verify
from symgrad.api.model import Model
from symgrad.api.parsing import graph, parse
from symgrad.api.solution import Solution
from symgrad.language.errors import Refused, ShapeError, SpecError, SpecErrors, SymgradError, Unsupported
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import Conventions, Problem

__all__ = [
    "Conventions", "Expression", "GradientCheck", "Graph", "Model", "Node", "Problem", "Refused", "ShapeError", "Solution", "SpecError",
    "SpecErrors", "SymgradError", "Unsupported", "Variable", "check_gradient", "define", "graph", "ops", "parse", "read", "solve",
    "variable", "verify",
]
