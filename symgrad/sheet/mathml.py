"""TeX to MathML Core: the one place that knows latex2mathml, its limits, and how to stay inside them.

A formula is parsed (`tex.parse`), brought to constructs that convert right, built from converted parts, mended and then verified;
what does not pass is an error, never a wrong picture.  A construct that renders wrong belongs in `_core`, a wrong element in `_mend`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from symgrad.language.errors import Unsupported
from symgrad.sheet import symbols as S
from symgrad.sheet import tex as T

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
CHILDREN = {"msup": 2, "msub": 2, "mfrac": 2, "msubsup": 3, "mover": 2, "munder": 2, "munderover": 3, "mroot": 2}
SCRIPTED = frozenset(("msup", "msub", "msubsup", "mover", "munder", "munderover"))
ACCENTS = frozenset(("¯", "^", "~", "→", "˙", "¨"))
LINE = "―"  # what latex2mathml draws \overline and \underline with
ELEMENTS = frozenset(("mrow", "mi", "mn", "mo", "mtext", "mspace", "msqrt", "mtable", "mtr", "mtd", "mstyle", *CHILDREN))

_RELATIONS = frozenset((*S.RELATIONS.values(), "=", "<", ">"))
_OPERATORS = _RELATIONS | frozenset((*S.SUMS.values(), *S.PRODUCTS.values(), "⋅", "⧵", "•", "+", "−", "-", "/", "*"))
_OPENING = frozenset("([{⟨⌊⌈")
_CLOSING = frozenset(")]}⟩⌋⌉")
_FLAT = frozenset(("(", ")", "[", "]"))
_SINGLE, _DOUBLE = (r"\lvert", r"\rvert", r"\vert"), (r"\lVert", r"\rVert", r"\Vert")
_PAIRS = {r"\lvert": (r"\rvert",), r"\lVert": (r"\rVert",), "|": ("|",), r"\|": (r"\|",), r"\vert": (r"\vert",), r"\Vert": (r"\Vert",)}
_GRIDS = {"pmatrix": ("(", ")"), "bmatrix": ("[", "]"), "Bmatrix": (r"\{", r"\}"), "vmatrix": ("|", "|"), "Vmatrix": (r"\|", r"\|")}
_BOLD = {r"\mathbf": (0x1D400, 0x1D41A, 0x1D6A8), r"\boldsymbol": (0x1D468, 0x1D482, 0x1D71C)}  # A, a, Alpha
_SUSPECT, _SUSPECT_WORDS = re.compile(r"[\\$]|&#?\w+;"), re.compile(r"[\\$]")
_GREEK = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡϴΣΤΥΦΧΨΩ∇αβγδεζηθικλμνξοπρςστυφχψω∂ϵϑϰϕϱϖ"


@lru_cache(maxsize=1 << 15)
def to_mathml(tex: str, display: bool = False) -> str:
    """A `<math>` element with the TeX in an annotation.  Raises SpecError (see `tex.check_tex`), Unsupported if the result is not sound."""
    from xml.etree.ElementTree import Element

    body = Element("mrow")
    _build(_core(T.parse(tex), display, False), body)
    _mend(body)
    _verify(body, tex)
    shown = ' display="block"' if display else ""
    return (f'<math xmlns="{NAMESPACE}"{shown}><semantics>{_printed(body)}'
            f'<annotation encoding="application/x-tex">{escape(tex, quote=False)}</annotation></semantics></math>')


# ---- before: only constructs that convert right -------------------------------------------------------------------


def _core(nodes: tuple[T.Node, ...], display: bool, small: bool) -> tuple[T.Node, ...]:
    """The same formula in safe constructs; `small` inside fractions and scripts, where limits stand at the side."""
    nodes = _bars(nodes)
    found: list[T.Node] = []
    k = 0
    while k < len(nodes):
        node, first = nodes[k], k
        if node == T.Symbol(r"\arg") and k + 1 < len(nodes) and _base(nodes[k + 1]) in (r"\max", r"\min"):
            k += 1
            node = _rebase(nodes[k], T.Apply(r"\operatorname*", ((T.Symbol("arg" + _base(nodes[k])[1:]),),)))
        if _is_function(node) and first and not _opens(nodes[first - 1], before=True):
            found.append(T.Symbol(r"\,"))
        found.append(_one(node, display, small))
        if _is_function(node) and k + 1 < len(nodes) and not _opens(nodes[k + 1]):
            found.append(T.Symbol(r"\,"))  # TeX's thin space between an operator and its argument
        k += 1
    return tuple(found)


def _one(node: T.Node, display: bool, small: bool) -> T.Node:
    def inner(items: tuple[T.Node, ...]) -> tuple[T.Node, ...]:
        return _core(items, display, small)

    def tiny(items: tuple[T.Node, ...]) -> tuple[T.Node, ...]:
        return _core(items, display, True)

    match node:
        case T.Symbol(text):
            return T.Group((T.Words(r"\text", "arg"),)) if text == r"\arg" else node
        case T.Words():
            return node
        case T.Group(items):
            return T.Group(inner(items))
        case T.Big(command, delimiter):
            return T.Big(command, "|" if delimiter in _SINGLE else r"\|" if delimiter in _DOUBLE else delimiter)
        case T.Fence(left, items, right):
            if left in _FLAT and right in _FLAT and not any(map(_tall, items)):
                return T.Group((T.Symbol(left), *inner(items), T.Symbol(right)))  # browsers take a stretched bracket too large
            return T.Fence(left, inner(items), right)
        case T.Grid(environment, rows, columns):
            cells = tuple(tuple(tiny(cell) for cell in row) for row in rows)
            if environment not in _GRIDS:
                return T.Group((T.Grid(environment, cells, columns),))
            left, right = _GRIDS[environment]
            return T.Group((T.Fence(left, (T.Grid("matrix", cells),), right),))
        case T.Script(base, sub, sup, primes, limits):
            low, top = sub and tiny(sub), sup and tiny(sup)
            if primes:  # the prime of most fonts is raised by itself
                base = T.Group((base, *(T.Symbol("′"),) * primes))
            if isinstance(base, T.Apply) and base.command == r"\operatorname*":
                return T.Apply(r"\underset", (low or (), (_one(base, display, small),)))
            name = _base(base)
            side = limits == r"\nolimits" or small and not limits or name in ("", r"\int") and not limits
            under = limits == r"\limits" or not side and display and (name[1:] in S.LARGE or name in S.LIMITED)
            whole = _one(base, display, small)
            return whole if low is None and top is None else T.Script(whole, low, top, 0, r"\limits" if under else "")
        case T.Apply(command, arguments, option):
            return _apply(command, arguments, option, inner, tiny)
    raise TypeError(type(node).__name__)


_Inner = Callable[[tuple[T.Node, ...]], tuple[T.Node, ...]]


def _apply(command: str, arguments: tuple[tuple[T.Node, ...], ...], option: tuple[T.Node, ...], inner: _Inner, tiny: _Inner) -> T.Node:
    match command:
        case r"\mathrm" | r"\operatorname" | r"\operatorname*":
            return T.Group((T.Words(r"\text", " ".join(T.leaves(arguments[0]))),))
        case r"\mathbf" | r"\boldsymbol":
            return T.Group(tuple(_bold(n, command) for n in inner(arguments[0])))
        case r"\mathcal" | r"\mathbb" | r"\mathfrak":
            return T.Group(tuple(_face(n, command) for n in arguments[0]))
        case r"\binom":
            return T.Group((T.Fence("(", (T.Grid("matrix", ((tiny(arguments[0]),), (tiny(arguments[1]),))),), ")"),))
        case r"\xrightarrow" | r"\xleftarrow":
            arrow: tuple[T.Node, ...] = (T.Symbol(r"\longrightarrow" if command == r"\xrightarrow" else r"\longleftarrow"),)
            if option:
                arrow = (T.Apply(r"\underset", (tiny(option), arrow)),)
            return T.Apply(r"\overset", (tiny(arguments[0]), arrow))
        case r"\stackrel":
            return T.Apply(r"\overset", (tiny(arguments[0]), inner(arguments[1])))
        case r"\frac" | r"\dfrac" | r"\tfrac" | r"\overset" | r"\underset":
            return T.Apply(command, (tiny(arguments[0]), tiny(arguments[1]) if "frac" in command else inner(arguments[1])))
        case r"\textcolor":
            return T.Apply(command, (arguments[0], inner(arguments[1])))
    return T.Apply(r"\hat" if command == r"\widehat" else command, tuple(inner(a) for a in arguments), tiny(option))


def _bars(nodes: tuple[T.Node, ...]) -> tuple[T.Node, ...]:
    """|x| and \\lVert x \\rVert as fences of one height; a lone bar is "such that"."""
    for k, node in enumerate(nodes):
        mark = node.text if isinstance(node, T.Symbol) else ""
        if mark in _PAIRS:
            close = next((i for i in range(k + 1, len(nodes)) if _base(nodes[i]) in _PAIRS[mark]), None)
            if close is None:
                return (*nodes[:k], T.Symbol(r"\mid" if mark == "|" else mark), *_bars(nodes[k + 1 :]))
            fence = _rebase(nodes[close], T.Fence(mark, _bars(nodes[k + 1 : close]), _PAIRS[mark][0]))
            return (*nodes[:k], fence, *_bars(nodes[close + 1 :]))
    return nodes


def _base(node: T.Node) -> str:
    """The symbol that a node is, or that its scripts hang on."""
    if isinstance(node, T.Script):
        node = node.base
    return node.text if isinstance(node, T.Symbol) else ""


def _rebase(node: T.Node, base: T.Node) -> T.Node:
    return T.Script(base, node.sub, node.sup, node.primes, node.limits) if isinstance(node, T.Script) else base


def _is_function(node: T.Node) -> bool:
    base = node.base if isinstance(node, T.Script) else node
    return _base(node) in S.FUNCTIONS or isinstance(base, T.Apply) and base.command in (r"\operatorname", r"\operatorname*")


def _tall(node: T.Node) -> bool:
    """Brackets around it should grow."""
    match node:
        case T.Symbol(text):
            return text[1:] in S.LARGE
        case T.Words():
            return False
        case T.Group(items):
            return any(map(_tall, items))
        case T.Script(base, sub, sup):
            return base == T.Symbol(r"\max") or any(map(_tall, (base, *(sub or ()), *(sup or ()))))
        case T.Fence(_, items, _):
            return any(map(_tall, items))
        case T.Apply(command, arguments):
            return command not in S.FACES | S.UPRIGHT | S.ACCENTS or any(map(_tall, arguments[-1]))
    return True


def _opens(node: T.Node, before: bool = False) -> bool:
    """A function needs no space on the side of this."""
    base = _base(node)
    big = isinstance(node, T.Fence | T.Big) or isinstance(node, T.Script) and isinstance(node.base, T.Fence)
    if before and (big or base in (")", "]")):
        return False
    return big or base in ("(", "[", r"\{", ")", "]", ",", ".", r"\,", r"\;", r"\quad") or S.UNICODE.get(base, base) in _OPERATORS


def _bold(node: T.Node, face: str) -> T.Node:
    match node:
        case T.Symbol(text):
            return T.Symbol("".join(_bold_letter(S.UNICODE.get(text, text), face)))
        case T.Group(items):
            return T.Group(tuple(_bold(n, face) for n in items))
        case T.Script(base, sub, sup, primes, limits):
            low, top = (None if x is None else tuple(_bold(n, face) for n in x) for x in (sub, sup))
            return T.Script(_bold(base, face), low, top, primes, limits)
    return node


def _bold_letter(text: str, face: str) -> list[str]:
    upper, lower, greek = _BOLD[face]
    found = []
    for c in text:
        if c.isascii() and c.isalpha():
            found.append(chr((upper if c.isupper() else lower) + ord(c) - ord("A" if c.isupper() else "a")))
        elif c.isdigit():
            found.append(chr(0x1D7CE + int(c)))
        else:
            found.append(chr(greek + _GREEK.index(c)) if c in _GREEK else c)
    return found


def _face(node: T.Node, face: str) -> T.Node:
    match node:
        case T.Symbol(text) if text.isascii() and text.isalpha() or text.isdigit() and face == r"\mathbb":
            return T.Apply(face, ((node,),))
        case T.Script(base, sub, sup, primes, limits):
            return T.Script(_face(base, face), sub, sup, primes, limits)
    raise Unsupported(f"{face} is drawn for Latin letters only")


# ---- between: the elements, put together from what latex2mathml makes of the parts ------------------------------------


@dataclass(frozen=True, slots=True)
class _Made:
    """An element as latex2mathml makes it; a number among the children is the place of that argument."""

    tag: str
    attributes: dict[str, str]
    text: str | None
    children: tuple[_Made | int, ...]


def _build(nodes: tuple[T.Node, ...], parent: Element) -> None:
    """The elements of a formula in safe constructs, appended to `parent`.

    latex2mathml is asked once for every symbol and every command: a whole formula takes it a millisecond, and sheets repeat them.
    """
    from xml.etree.ElementTree import SubElement

    for node in nodes:
        match node:
            case T.Symbol(text):
                _append(_converted(text, ()), (), parent)
                if text in S.STYLES:
                    parent = parent[-1]  # it holds to the end of the group
            case T.Group(items):
                _build(items, SubElement(parent, "mrow"))
            case T.Script(base, sub, sup, 0, limits):
                scripts = SubElement(parent, _script_tag(base, sub, sup, limits))
                _build((T.Group((base,)),) if isinstance(base, T.Fence | T.Grid) else (base,), scripts)
                for script in (sub, sup):
                    if script is not None:
                        _build(script, SubElement(scripts, "mrow"))
            case T.Fence(left, items, right) if not any(isinstance(i, T.Big) and i.command == r"\middle" for i in items):
                row = SubElement(parent, "mrow")
                (both,) = _converted(rf"\left{left} \right{right}", ())
                _append(both.children[:1], (), row)
                _build(items, row)
                _append(both.children[1:], (), row)
            case T.Grid(environment, rows, columns):
                around = parent
                if environment == "cases":
                    around, columns = SubElement(parent, "mrow"), "l"
                    _append(_converted(r"\left\{ \right.", ())[0].children[:1], (), around)
                table = SubElement(around, "mtable")
                for line in rows:
                    tr = SubElement(table, "mtr")
                    for k, cell in enumerate(line):
                        aligned = {"columnalign": _ALIGNED[columns[k % len(columns)]]} if columns else {}
                        _build(cell, SubElement(tr, "mtd", aligned))
            case T.Apply(r"\textcolor", (colour, items)):
                _append(_converted(rf"\textcolor{{{T.write(colour)}}}{{{_HOLES[0]}}}", _HOLES[:1]), (items,), parent)
            case T.Apply(command, arguments, option) if command not in S.FACES:
                filled = (*arguments, option) if option else arguments
                holes = _HOLES[: len(filled)]
                places = [f"{{{hole}}}" for hole in holes]
                skeleton = f"{command}[{places.pop()}]{''.join(places)}" if option else command + "".join(places)
                _append(_converted(skeleton, holes), filled, parent)
            case _:
                _append(_converted(T.write((node,), words=lambda text: escape(text, quote=False)), ()), (), parent)


def _script_tag(base: T.Node, sub: tuple[T.Node, ...] | None, sup: tuple[T.Node, ...] | None, limits: str) -> str:
    """Limits stand above and below, and so does what a brace is labelled with."""
    if limits == r"\limits" or isinstance(base, T.Apply) and base.command in (r"\overbrace", r"\underbrace"):
        return "munderover" if sub is not None and sup is not None else "munder" if sub is not None else "mover"
    return "msubsup" if sub is not None and sup is not None else "msub" if sub is not None else "msup"


def _append(parts: tuple[_Made | int, ...], arguments: tuple[tuple[T.Node, ...], ...], parent: Element) -> None:
    from xml.etree.ElementTree import SubElement

    for part in parts:
        if isinstance(part, int):
            _build(arguments[part], parent)
        else:
            element = SubElement(parent, part.tag, part.attributes)
            element.text = part.text
            _append(part.children, arguments, element)


_HOLES = ("A", "B", "C")
_ALIGNED = {"l": "left", "c": "center", "r": "right"}


@lru_cache(maxsize=1 << 15)
def _converted(core: str, holes: tuple[str, ...]) -> tuple[_Made, ...]:
    """What latex2mathml makes of `core`, in which letters alone in their braces mark the places of arguments."""
    import xml.etree.ElementTree as ET

    from latex2mathml.converter import convert

    try:
        found = ET.fromstring(re.sub(r'\sxmlns="[^"]*"', "", convert(core), count=1))
    except Exception as error:
        raise Unsupported(f"the formula {core!r} could not be converted to MathML: {error}") from error

    def made(e: Element) -> _Made:
        whole = e.tag == "mrow" and len(e) == 1 and e[0].tag == "mi" and e[0].text in holes
        inner = (holes.index(e[0].text or ""),) if whole else tuple(map(made, e))
        return _Made(e.tag, dict(e.attrib), e.text, inner)

    return made(found[0]).children  # type: ignore[return-value]


def _printed(e: Element) -> str:
    attributes = "".join([f' {name}="{escape(value)}"' for name, value in e.items()]) if e.attrib else ""
    inner = (escape(e.text, quote=False) if e.text else "") + "".join(map(_printed, e))
    return f"<{e.tag}{attributes}>{inner}</{e.tag}>" if inner else f"<{e.tag}{attributes} />"


# ---- after: elements that browsers draw right ----------------------------------------------------------------------


def _mend(parent: Element, script: bool = False) -> None:
    """Operators as `mo` with the form that their place asks for, letters as `mi`; no space around operators in scripts."""
    before = None
    for empty in [c for c in parent if c.tag == "mo" and c.get("fence") == "true" and not (c.text or "").strip()]:
        parent.remove(empty)  # \left. and \right. take no room
    for k, child in enumerate(list(parent)):
        _mend(child, script or parent.tag in SCRIPTED and k > 0)
        text = (child.text or "").strip()
        if child.tag == "mi" and len(text) == 1 and (text in _OPERATORS or text in _OPENING or text in _CLOSING or text == "′"):
            child.tag = "mo"
        if child.tag == "mo":
            _mend_operator(child, text, before, script or parent.tag in SCRIPTED and k > 0)
        elif child.tag == "mi" and len(text) == 1 and text in "ΓΔΘΛΞΠΣΥΦΨΩ":
            child.set("mathvariant", "normal")
        elif child.tag in ("mover", "munder") and len(child) == 2 and (child[1].text or "") == LINE:
            side = "top" if child.tag == "mover" else "bottom"  # a border: few fonts stretch a bar
            child.tag, child.attrib = "mrow", {"style": f"border-{side}:0.055em solid;padding-{side}:0.11em"}
            child.remove(child[1])
        elif child.tag in ("mover", "munder") and len(child) == 2 and (child[1].text or "") in ACCENTS:
            child.set("accent" if child.tag == "mover" else "accentunder", "true")
            child[1].set("stretchy", "false")
            if child[1].text == "¯":
                child[1].text = "‾"  # the shorter bar of some fonts is too thin to be seen on a screen
        before = child


def _mend_operator(operator: Element, text: str, before: Element | None, script: bool) -> None:
    if text in ("∂", "∇", "⊤", "⊥", "∞"):
        operator.tag, operator.attrib = "mi", {} if text == "∂" else {"mathvariant": "normal"}
    elif text in ("max", "min", "sup", "inf", "lim", "det", "gcd", "Pr"):
        operator.tag = "mi"
    elif text == "′":
        operator.attrib |= {"lspace": "0", "rspace": "0"}
    elif text in _OPENING | _CLOSING and operator.get("fence") != "true":
        operator.set("form", "prefix" if text in _OPENING else "postfix")
        operator.set("stretchy", "false")
    elif text in ("+", "−", "±", "∓") and before is not None and before.tag == "mo" and not _ends(before):
        operator.set("form", "prefix")
    elif text == "·":
        operator.text = "⋅"  # the operator dictionary gives this one its space
    if script and text in _OPERATORS:
        operator.attrib |= {"lspace": "0", "rspace": "0"}


def _ends(operator: Element) -> bool:
    """A minus after it is a subtraction, not a sign."""
    text = (operator.text or "").strip()
    return text in _CLOSING or text == "!" or operator.get("form") == "postfix" or "′" in text


def _verify(body: Element, tex: str) -> None:
    """The detectors of a wrong conversion."""
    for element in body.iter():
        problem = ""
        if element.tag not in ELEMENTS:
            problem = f"an element {element.tag}"
        elif element.get("mathvariant", "normal") != "normal":
            problem = f"mathvariant {element.get('mathvariant')}"
        elif element.tag in CHILDREN and len(element) != CHILDREN[element.tag]:
            problem = f"{element.tag} with {len(element)} children"
        elif (_SUSPECT_WORDS if element.tag == "mtext" else _SUSPECT).search(element.text or ""):
            problem = f"the text {element.text!r}"
        elif element.tag in ("mi", "mo", "mn") and not (element.text or "").strip():
            problem = f"an empty {element.tag}"
        if problem:
            raise Unsupported(f"the formula {tex!r} does not convert to sound MathML ({problem})")
