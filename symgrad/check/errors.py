"""What is raised where something is neither proved nor refuted; a claim that is found false is Refused (language/errors.py)."""

from __future__ import annotations


class Undecided(Exception):
    """The test does not decide this expression; the message says why."""


class NoDerivative(Exception):
    """The expression has a derivative at its kink, where none exists unless the problem fixes one."""


class NoSign(Exception):
    """The interval of a kink's argument holds 0: the sign is not known at this precision."""


NO_VALUE = (NoSign, NoDerivative, ArithmeticError, ValueError)
"""What an evaluation raises where an expression has no value, or none that is seen."""


class NeedSign(Exception):
    """The test needs the sign of this polynomial: one branch for each, and one for 0 where there is a jump."""

    def __init__(self, key: object, jump: bool = False) -> None:
        self.key, self.jump = key, jump
