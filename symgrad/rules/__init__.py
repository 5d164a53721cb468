"""The mathematics: one small function a rule, beside its formula and its reference.  Importing any of them enters all."""

import symgrad.rules.operations  # noqa: F401  # enters the rules of language/operations.py into `pull`
