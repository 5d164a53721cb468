"""Fields that do not come from a file, held to the rules of problem files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from symgrad.language.errors import SpecError
from symgrad.reader.letlist import did_you_mean
from symgrad.reader.spec import Spec

S = TypeVar("S", bound=Spec)


def validated(kind: type[S], fields: Mapping[str, Any], what: str) -> S:
    """The fields as a `kind`, by the rules of problem files.  Raises SpecError with every field that is wrong."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        said = []
        for e in error.errors(include_url=False):
            name = str(e["loc"][0]) if e["loc"] else ""
            if e["type"] == "extra_forbidden":
                known = [k for k in kind.model_fields if k not in ("label", "ask", "marks")]
                said.append(f"{what} takes no {name}{did_you_mean(name, known)}")
            elif e["type"] == "missing":
                said.append(f"{what} needs {name}")
            else:
                said.append(f"{what}: {name}: {e['msg']}; found {str(e['input'])[:60]!r}")
        raise SpecError("; ".join(dict.fromkeys(said))) from None


__all__ = ["validated"]
