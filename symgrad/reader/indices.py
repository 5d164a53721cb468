"""[indices]: families of matrices, one for each value of an index: what a tensor with more axes is here.

    [indices]
    o = 2
    c = 3
    [symbols]
    X = { shape = "N", each = "c" }                  # X[1], X[2], X[3]
    K = { shape = "M", each = "o, c" }               # K[1, 1], ..., K[2, 3]
    [model]
    let = '''
    Y[o] = sum(conv(X[c], K[o, c]))                  # over c, which the left side does not fix; sum(..., c) says so
    y = concat(mean(Y[o], 0))                        # concat, hstack and vstack join all members, sum and mean add them up
    '''

An index with a number for its length is written out before anything is read: K[2, 3] is K_2_3, a name like all others.  One with a
name, i = "H", becomes the index of a [sequence] without recursion, and comes last where there are several.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from symgrad.language.errors import SpecError, Unsupported
from symgrad.reader.brackets import JOINS, arguments, closing, joined
from symgrad.reader.letlist import MAX_LINE
from symgrad.reader.sequence import LAST

MAX_MEMBERS, MAX_NESTED = 1000, 20
"""Members of one family, or terms of one sum; sums in one another."""
NAME = re.compile(r"(?<!\w)(?<!\d\.)[A-Za-z\u0391-\u03c9][A-Za-z0-9_\u0391-\u03c9]*")
"""A name, and not the e of 1e-3."""
_SUFFIXES = ("_bar", "_grad")

At = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Family:
    """The indices of a name whose lengths are numbers, in order; then, if it has one, the index that is left for [sequence]."""

    indices: tuple[str, ...]
    tail: bool = False


@dataclass(frozen=True, slots=True)
class Indices:
    """The lengths of the indices that are numbers, the index that is left for [sequence] (""), and the names that have indices."""

    lengths: Mapping[str, int]
    tail: str
    families: Mapping[str, Family]

    def members(self, family: Family) -> Iterator[dict[str, int]]:
        """All values of the indices of a family."""
        yield from self.values(family.indices)

    def values(self, indices: tuple[str, ...]) -> Iterator[dict[str, int]]:
        count = prod(self.lengths[i] for i in indices)
        if count > MAX_MEMBERS:
            raise SpecError(f"{', '.join(indices)}: {count} values together; at most {MAX_MEMBERS} are written out")
        for numbers in product(*(range(1, self.lengths[i] + 1) for i in indices)):
            yield dict(zip(indices, numbers, strict=True))

    def member(self, name: str, at: At) -> str:
        """K_2_3 for K at o = 2, c = 3."""
        return "_".join((name, *(str(at[i]) for i in self.families[name].indices)))

    def plain(self, message: str) -> str:
        """An error message with K[2, 3] for K_2_3."""
        for name, family in self.families.items():
            if family.indices:
                numbers = r"_(\d+)" * len(family.indices)
                message = re.sub(rf"\b{name}{numbers}(?=\b|_)", lambda m, n=name: f"{n}[{', '.join(m.groups())}]", message)  # type: ignore[misc]
        return message

    # ---- texts ---------------------------------------------------------------------------------------------------

    def written(self, text: str, at: At, depth: int = 0) -> str:
        """The text where the indices have these values.  Raises SpecError or Unsupported for any other use of an index."""
        if depth > MAX_NESTED:
            raise SpecError(f"sums nested more than {MAX_NESTED} deep")
        found: list[str] = []
        place = size = 0
        while match := NAME.search(text, place):
            found.append(text[place:match.start()])
            transposed = match[0] == "T" and text[:match.start()].rstrip().endswith(".") and text[match.end():match.end() + 1] != "["
            piece, place = ("T", match.end()) if transposed else self._piece(match[0], text, match.end(), at, depth)
            found.append(piece)
            size += len(piece)
            if size > 4 * MAX_LINE:
                raise SpecError("a line that is too long when its sums are written out; give their terms definitions of their own")
        return "".join(found) + text[place:]

    def _piece(self, name: str, text: str, after: int, at: At, depth: int) -> tuple[str, int]:
        """What stands for one name, with its brackets, and where the text goes on."""
        opened = re.compile(r"\s*([\[(])").match(text, after)
        bracket = opened[1] if opened else ""
        base = self.base(name)
        if base is not None:
            if opened is None or bracket != "[":
                raise SpecError(f"{base} has one value for every {self._shown(base)}; write {base}[{self._shown(base)}]")
            end = closing(text, opened.end() - 1)
            return self._reference(base, text[opened.end():end], at) + name.removeprefix(base), end + 1
        if name in self.lengths:
            if name not in at:
                raise SpecError(f"{name} has no value here; it has one in a definition for every {name}, h[{name}] = ..., and in a sum over {name}")
            return str(at[name]), after
        if opened and bracket == "(" and name in ("sum", "mean", *JOINS):
            end = closing(text, opened.end() - 1)
            return self._call(name, text[opened.end():end], at, depth), end + 1
        return name, after

    def base(self, name: str) -> str | None:
        """K of K and of K_bar; None of a name without indices that are numbers."""
        stems = (name, *(name.removesuffix(s) for s in _SUFFIXES if name.endswith(s)))
        return next((n for n in stems if n in self.families and self.families[n].indices), None)

    def _shown(self, name: str) -> str:
        family = self.families[name]
        return ", ".join((*family.indices, *((self.tail,) if family.tail else ())))

    def _reference(self, name: str, inside: str, at: At) -> str:
        family, said = self.families[name], [x.strip() for x in arguments(inside)]
        if len(said) != len(family.indices) + family.tail:
            raise SpecError(f"{name}[{inside.strip()[:30]}]: {name} has the indices {self._shown(name)}; an entry comes after them, "
                            f"{name}[{self._shown(name)}][1]")
        tail = f"[{said.pop()}]" if family.tail else ""
        if tail and re.fullmatch(rf"\[\s*{self.tail}\s*-.*", tail):
            raise Unsupported(f"{name}[{inside.strip()[:30]}]: a name with further indices at the step before; give what is handed on a name with "
                              f"{self.tail} alone, for instance by joining it")
        return "_".join((name, *(str(self._number(name, x, i, at)) for x, i in zip(said, family.indices, strict=True)))) + tail

    def _number(self, name: str, said: str, index: str, at: At) -> int:
        length = self.lengths[index]
        if said in self.lengths:
            if self.lengths[said] != length:
                raise SpecError(f"{name}[{said}]: {said} goes to {self.lengths[said]}, {index} to {length}")
            if said not in at:
                raise SpecError(f"{said} has no value here; it has one in a definition for every {said}, h[{said}] = ..., and in a sum over {said}")
            return at[said]
        found = length if said == LAST else int(said) if re.fullmatch(r"\d{1,4}", said, re.ASCII) else 0
        if not 1 <= found <= length:
            raise SpecError(f"{name}[{said[:20]}]: an index is {index}, a number from 1 to {length} or {LAST}; its values have no order, a recursion "
                            "is a [sequence]")
        return found

    # ---- sums and joins ------------------------------------------------------------------------------------------

    def _call(self, function: str, inside: str, at: At, depth: int) -> str:
        """sum(f(x[i])) over the indices that have no value yet, or over those that are named, sum(f(x[i]), i)."""
        parts = arguments(inside)
        named: list[str] = []
        while len(parts) > 1 and parts[-1].strip() in (*self.lengths, self.tail) and parts[-1].strip():
            named.insert(0, parts.pop().strip())
        if twice := next((i for k, i in enumerate(named) if i in at or i in named[:k]), ""):
            raise SpecError(f"{function} over {twice}, which has a value already; name the index of the sum otherwise")
        rest = ", ".join(x.strip() for x in parts)
        own = [tuple(i for i in named if i in self.lengths) if named else self._open(part, at) for part in parts]
        if not any(own):
            return f"{function}({self.written(rest, at, depth + 1)})"
        if function in JOINS:
            each = [(part, more) for part, over in zip(parts, own, strict=True) for more in self.values(over)]
            terms = [self.written(part, {**at, **more}, depth + 1).strip() for part, more in each]
            return self._short(joined(function, terms), function)
        if len(parts) > 1:
            raise Unsupported(f"{function} over an index with a second argument; write the inner {function} in a definition for every index")
        terms = [self.written(rest, {**at, **more}, depth + 1).strip() for more in self.values(own[0])]
        whole = self._short("(" + " + ".join(f"({t})" if re.search(r"[-+]", t) else t for t in terms) + ")", function)
        if self.tail and self.tail not in at and re.search(rf"\[[^\]]*\b{self.tail}\b", rest) and (not named or self.tail in named):
            whole = f"{function}{whole}"
        return whole if function == "sum" else f"(1/{len(terms)} * {whole})"

    def _open(self, text: str, at: At) -> tuple[str, ...]:
        """The indices in a text that have no value, but for those that a sum inside says it runs over.

        Raises SpecError for a sum inside that does not say: it may be over its index, or over the entries of a vector.
        """
        outside, place = "", 0
        for match in re.finditer(rf"(?<![\w.])({'|'.join(('sum', 'mean', *JOINS))})\s*\(", text):
            if match.start() < place:
                continue
            end = closing(text, match.end() - 1)
            inside = arguments(text[match.end():end])
            named = {x.strip() for x in inside[1:]} & {*self.lengths, self.tail}
            within = tuple(i for part in inside for i in self._open(part, at) if i not in named)
            if within and not named and (len(inside) == 1 or match[1] in JOINS):
                raise SpecError(f"{match[1]} in another sum, with {within[0]}; say over what each runs: {match[1]}(..., {within[0]}) is over "
                                f"{within[0]}, and without it over entries where the outer one is over {within[0]}")
            outside, place = f"{outside}{text[place:match.start()]} {' '.join(within)} ", end + 1
        words = NAME.findall(outside + text[place:])
        return tuple(dict.fromkeys(w for w in words if w in self.lengths and w not in at))

    def _short(self, text: str, function: str) -> str:
        if len(text) > MAX_LINE:
            raise SpecError(f"a {function} over an index that is too long when written out; give its terms a definition of their own")
        return text


__all__ = ["NAME", "At", "Family", "Indices"]
