"""A sheet as data: a closed set of blocks that every format prints, and no format invents.

Formulas are TeX in the subset that `sheet/tex.py` admits; all other text is plain text, escaped by the format.
"""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.sheet.chart import Chart
from symgrad.sheet.layout import Layout


@dataclass(frozen=True, slots=True)
class Maths:
    """One formula, in TeX without dollars, inside the admitted subset."""

    tex: str


@dataclass(frozen=True, slots=True)
class Emphasis:
    """Words set in italics, or in bold where `strong`."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Words set in a typewriter face, as they are."""

    text: str


Text = tuple[str | Maths | Emphasis | Code, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    text: Text
    level: int = 2  # 1 is the title of the sheet, 2 a part, 3 a subsection
    id: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: Text


@dataclass(frozen=True, slots=True)
class Display:
    """A formula on a line of its own."""

    formula: Maths


@dataclass(frozen=True, slots=True)
class Listing:
    """A bulleted or numbered list; every item is one or more blocks."""

    items: tuple[tuple[Block, ...], ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """`relation right`, with a note in words at the end of the line."""

    relation: str  # "=", "\\approx", "\\neq"
    right: Maths
    note: Text = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """An equation chain: left = right_1 = right_2 ..., aligned at the relations."""

    left: Maths
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Boxed:
    """An answer, framed."""

    left: Maths
    relation: str
    right: Maths


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    caption: Text = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """The computation graph; `alternative` says in words what is drawn."""

    layout: Layout
    alternative: str
    caption: Text = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """Data in the plane and where a function is positive; `alternative` says in words what is drawn."""

    chart: Chart
    alternative: str
    caption: Text = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """Marks for a step or a part, in the marking view."""

    amount: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the checker said: `ground` is proved, tested, given, refuted or undecided; `text` the method and domain."""

    ground: str
    text: Text

    @property
    def words(self) -> Text:
        """The text without the ground that it may begin with, for formats that show the ground apart."""
        first = self.text[0] if self.text else ""
        if not isinstance(first, str) or not first.startswith(self.ground):
            return self.text
        rest = first.removeprefix(self.ground).lstrip(" :")
        return (rest, *self.text[1:]) if rest else self.text[1:]


@dataclass(frozen=True, slots=True)
class StepBlock:
    """One numbered step: its justification, its lines, what it rests on (`details`, folded away in HTML)."""

    id: str
    number: str  # "3", or "3.1" for a sub-step
    title: Text
    blocks: tuple[Block, ...]
    stamp: Stamp | None = None
    mark: Mark | None = None
    details: tuple[StepBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Steps:
    items: tuple[StepBlock, ...]


Block = Heading | Paragraph | Display | Listing | Chain | Boxed | Table | Picture | Plot | Steps | Stamp


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    view: str  # question, solution or marking
    blocks: tuple[Block, ...]
