"""`symgrad check`: a problem file and a certificate in, verdicts out; no rule, solver or question is ever imported here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from symgrad.check.checker import Checker, unanswered
from symgrad.language.errors import Place, SpecError
from symgrad.language.steps import Certificate, Ground
from symgrad.language.wire import certificate_from_json
from symgrad.reader.read import read

MAX_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Replay:
    """What the checker found when it verified every claim of a certificate again."""

    claims: int
    complaints: tuple[str, ...]
    undecided: int

    @property
    def holds(self) -> bool:
        return not self.complaints


def load(path: Path) -> object:
    """JSON of a bounded size.  Raises SpecError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError(f"the file is larger than {MAX_BYTES:,} bytes", Place(path.as_posix()))
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", Place(path.as_posix())) from None
    except (ValueError, RecursionError) as error:
        raise SpecError(f"not JSON: {str(error)[:100]}", Place(path.as_posix())) from None


def replay(problem_file: Path, certificate_file: Path) -> Replay:
    """Verifies every claim anew against the problem file.  Raises SpecErrors or SpecError if a file is not what it should be."""
    problem, _ = read(problem_file)
    try:
        certificate = certificate_from_json(load(certificate_file), problem.graph)
    except SpecError as error:
        raise error if error.place else SpecError(error.message, Place(certificate_file.as_posix())) from None
    return verify(problem, certificate)


def verify(problem, certificate: Certificate) -> Replay:  # type: ignore[no-untyped-def]
    """The same on data at hand."""
    complaints: list[str] = []
    if (certificate.problem, certificate.digest) != (problem.id, problem.digest):
        complaints.append(f"the certificate is of {certificate.problem} ({certificate.digest}), the problem is {problem.id} ({problem.digest}); "
                          "it was edited since: run symgrad solve again")
    undecided = 0
    for part in problem.parts:
        checker = Checker(problem)
        entries = [e for e in certificate.entries if e.part == part.label]
        shown = []
        for e in entries:
            verdict = checker.check(e.claim)
            if verdict.ground.holds:
                shown.append(e.claim)
            undecided += verdict.ground is Ground.UNDECIDED
            if verdict.ground is Ground.REFUTED:
                complaints.append(f"part {part.label}, {e.label}: refuted: {verdict.method}")
            elif verdict != e.verdict:
                complaints.append(f"part {part.label}, {e.label}: the certificate says {e.verdict.ground.value} {e.verdict.domain} "
                                  f"({e.verdict.method}), found {verdict.ground.value} {verdict.domain} ({verdict.method})")
        complaints += [f"part {part.label}: {what} is not answered" for what in unanswered(problem, part, tuple(shown))]
    stray = {e.part for e in certificate.entries} - {p.label for p in problem.parts}
    complaints += [f"the certificate has a part {p} that the problem does not ask" for p in sorted(stray)]
    return Replay(len(certificate.entries), tuple(complaints), undecided)
