"""The property of a threshold network as text: plain comparisons and words, read by a bounded recursive descent.

    y = 1 iff x1 > x2 > ... > x64            x1 xor x2           exactly 2 of x1..x4
    at least 2 of (x1 > x2, x3 >= 1)         majority of x1..x5  all inputs distinct

From loose to tight: iff, implies, or / xor, and, not, comparisons, + -, * /.  A bare input is a statement over booleans only.
To add a phrase: a case in `_Reader.phrase`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TypeVar

from sympy import Integer, Rational

from symgrad.language import threshold as T
from symgrad.language.errors import SpecError
from symgrad.language.threshold import Affine, Compare, Domain, Formula, Relation
from symgrad.reader.dots import Dots, Extremum, Value, filled
from symgrad.reader.letlist import did_you_mean
from symgrad.reader.letlist import number as read_number
from symgrad.reader.tokens import WORDS, Inputs, Tokens

MAX_TEXT, MAX_DEPTH, MAX_ATOMS = 20_000, 40, 20_000
_RELATIONS = {r.value: r for r in Relation}
OUTPUT = re.compile(r"\s*(?:y\d*|output|the output)\s*(?:(?:=|==|is)\s*(0|1)\s*)?"
                    r"(?:iff|if and only if|exactly when|exactly if|precisely when|when|<=>|⇔)(?![A-Za-z])\s*", re.IGNORECASE)


Item = TypeVar("Item")


def read_property(text: str, inputs: Inputs, domain: Domain) -> Formula:
    """The formula; 'y = 1 iff' in front may be left out.  Raises SpecError with what was found and what was expected."""
    if len(text) > MAX_TEXT:
        raise SpecError(f"a property of {len(text)} characters; at most {MAX_TEXT} are read")
    head = OUTPUT.match(text)
    if head and inputs.names is not None and text[:head.end()].split()[0].split("=")[0] in inputs.names:
        head = None
    body = text[head.end():] if head else text
    formula = _Reader(body, inputs, domain).whole()
    return T.negation(formula) if head and head[1] == "0" else formula


def holds_anyway(a: Affine, relation: Relation, b: Affine) -> bool | None:
    """What a comparison says whatever the inputs are; None where it depends on them."""
    gap = T.plus(a, b, Integer(-1))
    if gap.terms:
        return None
    c = gap.constant
    signs = {Relation.GT: c > 0, Relation.GE: c >= 0, Relation.LT: c < 0, Relation.LE: c <= 0, Relation.EQ: c == 0, Relation.NE: c != 0}
    return bool(signs[relation])


def both_of(a: Formula, b: Formula) -> Formula:
    """a and b, without what is always true."""
    parts = [p for p in (a, b) if p != T.TRUE]
    return parts[0] if len(parts) == 1 else T.All(tuple(parts))


class _Reader(Tokens):
    def __init__(self, text: str, inputs: Inputs, domain: Domain) -> None:
        super().__init__(text, inputs)
        self.domain = domain
        self.depth = self.atoms = 0

    # ---- statements, loose to tight ------------------------------------------------------------------------------

    def whole(self) -> Formula:
        found = self.statement(self.iff())
        if self.peek():
            self.refuse("the property should end here, or go on with and, or, xor, iff or a comparison")
        return found

    def deeper(self, work: Callable[[], Item]) -> Item:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SpecError(f"property {self.text.strip()[:60]!r}...: nested more than {MAX_DEPTH} deep")
        found = work()
        self.depth -= 1
        return found

    def statement(self, value: Value | Dots) -> Formula:
        """A formula, or a boolean input as one."""
        if isinstance(value, Affine):
            if len(value.terms) == 1 and value.terms[0][1] == 1 and value.constant == 0:
                if self.domain is Domain.BOOLEANS:
                    self.count_atoms()
                    return T.is_true(value.terms[0][0])
                self.refuse(f"an input is a number here, not a statement: compare it with something (> 0), or set domain = \"booleans\"; "
                            f"domain is \"{self.domain.value}\"")
            self.refuse("a number is not a statement: compare it with something")
        if isinstance(value, Extremum | Dots):
            self.refuse("a comparison is expected")
        return value

    def iff(self) -> Value | Dots:
        found = self.implies()
        while self.peek() == "iff" or (self.peek() == "if" and self.tokens[self.at:self.at + 4] == ["if", "and", "only", "if"]):
            self.at += 1 if self.peek() == "iff" else 4
            found = T.Count((self.statement(found), self.statement(self.implies())), (0, 2))
        return found

    def implies(self) -> Value | Dots:
        found = self.either()
        if self.take("implies"):
            return T.Some((T.negation(self.statement(found)), self.statement(self.deeper(self.implies))))
        return found

    def either(self) -> Value | Dots:
        """a or b or c, a xor b xor c (an odd number of them)."""
        parts: list[Value | Dots] = [self.both()]
        word = self.peek()
        while self.peek() in ("or", "xor"):
            if self.peek() != word:
                self.refuse("or and xor side by side are read in more than one way: put one of them in parentheses")
            self.at += 1
            parts.append(self.both())
        if len(parts) == 1:
            return parts[0]
        found = tuple(map(self.statement, filled(self, parts)))
        return T.Some(found) if word == "or" else T.Count(found, tuple(range(1, len(found) + 1, 2)))

    def both(self) -> Value | Dots:
        parts: list[Value | Dots] = [self.negated()]
        while self.take("and"):
            parts.append(self.negated())
        if len(parts) == 1:
            return parts[0]
        found: list[Formula] = []
        for p in map(self.statement, filled(self, parts)):
            found += p.parts if isinstance(p, T.All) else [p]
        return T.All(tuple(found))

    def negated(self) -> Value | Dots:
        if self.take("not"):
            return T.negation(self.statement(self.deeper(self.negated)))
        return self.comparison()

    def comparison(self) -> Value | Dots:
        """a > b >= c, or one side alone."""
        sides: list[Value | Dots] = [self.side()]
        relations: list[Relation] = []
        while self.peek() in _RELATIONS:
            relations.append(_RELATIONS[self.tokens[self.at]])
            self.at += 1
            sides.append(self.side())
        if not relations:
            return sides[0]
        found: list[Formula] = []
        k = 0
        while k < len(relations):
            left, right = sides[k], sides[k + 1]
            if isinstance(right, Dots):
                if k + 2 >= len(sides) or relations[k] != relations[k + 1]:
                    self.refuse("'...' in a chain stands between two equal relations, as in x1 > x2 > ... > x9")
                run = filled(self, [*sides[max(0, k - 1):k + 1], right, sides[k + 2]])[len(sides[max(0, k - 1):k]):]
                found += [self.compare(a, relations[k], b) for a, b in zip(run, run[1:], strict=False)]
                k += 2
            else:
                found.append(self.compare(left, relations[k], right))
                k += 1
        return found[0] if len(found) == 1 else T.All(tuple(found))

    def compare(self, a: Value | Dots, relation: Relation, b: Value | Dots) -> Formula:
        """One comparison; a side that is max or min is spelled out."""
        self.count_atoms()
        if isinstance(a, Affine) and isinstance(b, Affine):
            return Compare(a, relation, b)
        if isinstance(a, Affine) and isinstance(b, Extremum):
            return self.compare(b, T.MIRRORED[relation], a)
        if not isinstance(a, Extremum) or not isinstance(b, Affine):
            if isinstance(a, Extremum) and isinstance(b, Extremum):
                raise SpecError(f"property {self.text.strip()[:80]!r}: max, min or |..| may stand on one side of a comparison only")
            self.refuse("a comparison compares numbers")
        assert isinstance(a, Extremum) and isinstance(b, Affine)
        match relation:
            case Relation.EQ:
                return both_of(self.compare(a, Relation.GE, b), self.compare(a, Relation.LE, b))
            case Relation.NE:
                return T.negation(self.compare(a, Relation.EQ, b))
        some = (relation in (Relation.GT, Relation.GE)) == (a.sign > 0)
        sure = [(p, holds_anyway(p, relation, b)) for p in a.parts]
        if any(known is some for _, known in sure):  # x1 >= x1 in x1 = max(x1, x2)
            return T.TRUE if some else T.FALSE
        parts = tuple(self.compare(p, relation, b) for p, known in sure if known is None)
        return T.Some(parts) if some else T.All(parts)

    def count_atoms(self) -> None:
        self.atoms += 1
        if self.atoms > MAX_ATOMS:
            raise SpecError(f"a property of more than {MAX_ATOMS} comparisons")

    # ---- numbers -------------------------------------------------------------------------------------------------

    def number_of(self, value: Value | Dots, what: str) -> Affine:
        if not isinstance(value, Affine):
            self.refuse(f"{what} takes numbers")
        return value

    def side(self) -> Value | Dots:
        """A sum of terms."""
        if self.take("..."):
            return Dots()
        sign = -1 if self.take("-") else 1
        self.take("+")
        first = self.term()
        signs, parts = [sign], [first]
        while self.peek() in ("+", "-"):
            signs.append(1 if self.peek() == "+" else -1)
            self.at += 1
            parts.append(Dots() if self.take("...") else self.term())
        if len(parts) == 1 and sign == 1:
            return first
        total = T.number(0)
        for k, p in enumerate(parts):
            if isinstance(p, Dots):
                if k + 1 >= len(parts) or len({signs[k - 1], signs[k], signs[k + 1]}) > 1:
                    self.refuse("'...' in a sum stands between two terms of the same sign, as in x1 + x2 + ... + x9")
                before = parts[max(0, k - 2):k]
                for q in filled(self, [*before, p, parts[k + 1]])[len(before):-1]:
                    total = T.plus(total, self.number_of(q, "a sum"), Integer(signs[k]))
            else:
                total = T.plus(total, self.number_of(p, "a sum"), Integer(signs[k]))
        return total

    def term(self) -> Value | Dots:
        found = self.factor()
        while self.peek() in ("*", "/", "^") or (isinstance(found, Affine) and not found.terms and self.starts_factor()):
            operator = self.peek() if self.peek() in ("*", "/", "^") else "*"
            self.at += self.peek() == operator
            if operator == "^":
                self.refuse("powers are not linear; comparisons are between sums of multiples of inputs")
            a, b = self.number_of(found, operator), self.number_of(self.factor(), operator)
            if operator == "*" and a.terms and b.terms:
                self.refuse("a product of inputs is not linear; comparisons are between sums of multiples of inputs")
            if operator == "/" and (b.terms or b.constant == 0):
                self.refuse("a division by an input, or by zero")
            scale, form = (1 / b.constant, a) if operator == "/" else (b.constant, a) if not b.terms else (a.constant, b)
            found = T.plus(T.number(0), form, self.bounded(scale))
        return found

    def starts_factor(self) -> bool:
        token = self.peek()
        return bool(token) and (token == "(" or token[0].isalpha() and (token not in WORDS or self.is_input(token)))

    def bounded(self, value: Rational) -> Rational:
        if max(abs(value.p), value.q).bit_length() > 2048:
            self.refuse("a number of more than 2048 bits")
        return value

    def factor(self) -> Value | Dots:
        token = self.peek()
        if self.is_input(token):
            self.at += 1
            return T.one(self.inputs.index(token) or 0)
        if token[:1].isdigit():
            self.at += 1
            return T.number(read_number(token))
        if self.take("("):
            found = self.deeper(self.iff)
            self.need(")")
            return found
        if self.take("|"):
            inner = self.number_of(self.deeper(self.side), "|..|")
            self.need("|")
            return Extremum((inner, T.plus(T.number(0), inner, Integer(-1))), 1)
        if token in ("max", "min", "abs", "sum") and self.peek(1) == "(":
            self.at += 1
            parts = tuple(self.number_of(v, token) for v in self.deeper(lambda: self.listed(arguments=True)))
            if token == "abs":
                if len(parts) != 1:
                    self.refuse("abs takes one number")
                parts = (parts[0], T.plus(T.number(0), parts[0], Integer(-1)))
            if token == "sum":
                return self.summed(parts)
            return Extremum(parts, -1 if token == "min" else 1)
        if token == "sum" and self.peek(1) == "of":
            self.at += 2
            return self.summed(tuple(self.number_of(v, token) for v in self.deeper(self.listed)))
        if token in WORDS:
            return self.phrase()
        i = self.inputs.index(token) if token[:1].isalpha() else None
        if i is None:
            if token[:1].isalpha():
                near = did_you_mean(token, [*(self.inputs.names or [f"x{k}" for k in range(1, 1 + (self.inputs.count or 5))]), *WORDS])
                self.refuse(f"unknown name {token}{near}")
            self.refuse("an input, a number or a phrase such as 'exactly 2 of x1..x4' is expected")
        self.at += 1
        return T.one(i)

    def summed(self, parts: Sequence[Affine]) -> Affine:
        total = T.number(0)
        for p in parts:
            total = T.plus(total, p)
        return total

    # ---- phrases -------------------------------------------------------------------------------------------------

    def phrase(self) -> Formula:
        """Words that say how many of a list hold, or that all inputs differ."""
        if self.take("true") or self.take("false"):
            return T.TRUE if self.tokens[self.at - 1] == "true" else T.FALSE
        if self.peek() in ("distinct", "different") and self.peek(1) == "(":
            self.at += 1
            return self.distinct([self.number_of(v, "distinct") for v in self.deeper(lambda: self.listed(arguments=True))])
        if any(self.take(*words) for words in (("all", "inputs", "distinct"), ("all", "inputs", "different"), ("all", "distinct"),
                                               ("all", "different"), ("inputs", "distinct"))):
            return self.distinct(self.inputs.all())
        self.take("an") or self.take("a") or self.take("the")
        counts: Callable[[int], list[int]]
        if self.take("exactly"):
            wanted = [self.whole_number()]
            while self.take("or"):
                wanted.append(self.whole_number())
            counts = lambda n: sorted(set(wanted))
        elif self.take("at", "least"):
            low = self.whole_number()
            counts = lambda n: list(range(low, n + 1))
        elif self.take("at", "most"):
            high = self.whole_number()
            counts = lambda n: list(range(min(high, n) + 1))
        elif self.take("majority"):
            counts = lambda n: list(range(n // 2 + 1, n + 1))
        elif self.take("odd", "number") or self.take("odd") or self.take("parity"):
            counts = lambda n: list(range(1, n + 1, 2))
        elif self.take("even", "number") or self.take("even"):
            counts = lambda n: list(range(0, n + 1, 2))
        elif self.take("all"):
            counts = lambda n: [n]
        elif self.take("any") or self.take("some"):
            counts = lambda n: list(range(1, n + 1))
        elif self.take("none") or self.take("no"):
            counts = lambda n: [0]
        else:
            self.refuse("a phrase such as 'exactly 2 of x1..x4' is expected")
        self.need("of")
        parts = tuple(map(self.statement, self.deeper(self.listed)))
        n = len(parts)
        found = counts(n)
        if any(k > n for k in found):
            self.refuse(f"{found[-1]} of a list of {n}")
        if found == [n]:
            return T.All(parts)
        if found == list(range(1, n + 1)):
            return T.Some(parts)
        return T.Count(parts, tuple(found))

    def whole_number(self) -> int:
        token = self.peek()
        if not (token.isdigit() and len(token) <= 4):
            self.refuse("a whole number is expected")
        self.at += 1
        return int(token)

    def distinct(self, forms: Sequence[Affine]) -> Formula:
        pairs = list(combinations(forms, 2))
        self.atoms += len(pairs)
        self.count_atoms()
        return T.All(tuple(Compare(a, Relation.NE, b) for a, b in pairs))

    def listed(self, arguments: bool = False) -> list[Value]:
        """x1..x4; x1, x3, x5; (x1 > x2, x3 >= 1): ranges filled, one relation after a range applied to each."""
        whole = self.peek() == "(" and (arguments or self.is_list())
        if whole:
            self.at += 1
        items: list[Value | Dots] = []
        while True:
            start = len(items)
            if self.peek() == "...":
                items.append(Dots())
                self.at += 1
            else:
                items.append(self.deeper(self.iff) if whole else self.comparison_or_not())
            if self.take("..."):
                items += [Dots(), self.side()]
            if isinstance(items[-1], Affine) and self.peek() in _RELATIONS and len(items) > start + 1:
                relation, right = _RELATIONS[self.peek()], None
                self.at += 1
                right = self.side()
                ends = filled(self, items[start:])
                items[start:] = [self.compare(v, relation, right) for v in ends]
            if not self.take(","):
                break
        if whole:
            self.need(")")
        return filled(self, items)

    def comparison_or_not(self) -> Value | Dots:
        return T.negation(self.statement(self.comparison())) if self.take("not") else self.comparison()

    def is_list(self) -> bool:
        """Does the parenthesis that opens here hold a comma or a range of its own?"""
        depth = 0
        for token in self.tokens[self.at:]:
            depth += (token == "(") - (token == ")")
            if depth == 0:
                return False
            if depth == 1 and token in (",", "..."):
                return True
        return False
