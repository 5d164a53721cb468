"""`symgrad check`: a problem file and a certificate in, verdicts out; no rule, solver or question is ever imported here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from symgrad import limits
from symgrad.check.checker import Checker, left_open, unanswered
from symgrad.language.errors import Place, SpecError
from symgrad.language.steps import Certificate, Ground
from symgrad.language.wire import certificate_from_json
from symgrad.limits import OutOfTime, at_most
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
        try:
            with at_most(limits.SECONDS):
                undecided += _verify_part(problem, part, certificate, complaints)
        except OutOfTime:
            undecided += 1
            complaints.append(f"part {part.label}: not verified in {limits.SECONDS:g} s")
    stray = {e.part for e in certificate.entries} - {p.label for p in problem.parts}
    complaints += [f"the certificate has a part {p} that the problem does not ask" for p in sorted(stray)]
    return Replay(len(certificate.entries), tuple(complaints), undecided)


def _verify_part(problem, part, certificate: Certificate, complaints: list[str]) -> int:  # type: ignore[no-untyped-def]
    """Adds what is wrong to `complaints`; returns how many claims stay undecided."""
    undecided = 0
    checker = Checker(problem)
    entries = [e for e in certificate.entries if e.part == part.label]
    shown = []
    verdicts = []
    for e in entries:
        verdict = checker.check(e.claim)
        verdicts.append(verdict)
        if verdict.ground.holds:
            shown.append(e.claim)
        undecided += verdict.ground is Ground.UNDECIDED
        if verdict.ground is Ground.REFUTED:
            complaints.append(f"part {part.label}, {e.label}: refuted: {verdict.method}")
        elif verdict != e.verdict:
            complaints.append(f"part {part.label}, {e.label}: the certificate says {e.verdict.ground.value} {e.verdict.domain} "
                              f"({e.verdict.method}), found {verdict.ground.value} {verdict.domain} ({verdict.method})")
    found = (*shown, *left_open(zip((e.claim for e in entries), verdicts, strict=True)))
    complaints += [f"part {part.label}: {what} is not answered" for what in unanswered(problem, part, found)]
    return undecided
