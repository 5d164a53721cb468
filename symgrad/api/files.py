"""Problem files from Python: read one, solve it, verify a certificate against it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symgrad.api.solution import Solution
from symgrad.language.errors import SpecError
from symgrad.language.problem import Problem
from symgrad.language.steps import Certificate
from symgrad.language.wire import certificate_from_json
from symgrad.reader.read import read as read_file
from symgrad.replay import Replay, load
from symgrad.replay import verify as verify_certificate


def read(path: str | Path) -> Problem:
    """The problem of a file, without its [expected] answers.  Raises SpecErrors with every error, each with its line."""
    problem, _ = read_file(Path(path))
    return problem


def solve(problem: Problem | str | Path) -> Solution:
    """Every part derived and checked.  A file's [expected] answers are compared afterwards; a part that fails says so in `failures`."""
    from symgrad import pipeline

    stated, expected = (problem, ()) if isinstance(problem, Problem) else read_file(Path(problem))
    result = pipeline.solve(stated, expected)
    return Solution(result.problem, result.parts, result.certificate)


def verify(problem: Problem | str | Path, certificate: Certificate | Mapping[str, Any] | str | Path) -> Replay:
    """Every claim of a certificate verified again, from the problem alone, with no code that derives: as `symgrad check` does.

    Raises SpecError if the certificate is not one.
    """
    stated = problem if isinstance(problem, Problem) else read(problem)
    if isinstance(certificate, str | Path):
        certificate = certificate_from_json(load(Path(certificate)), stated.graph)
    elif isinstance(certificate, Mapping):
        certificate = certificate_from_json(dict(certificate), stated.graph)
    elif not isinstance(certificate, Certificate):
        raise SpecError(f"{str(certificate)[:60]!r} is not a certificate")
    return verify_certificate(stated, certificate)


__all__ = ["read", "solve", "verify"]
