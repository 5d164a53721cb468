"""A document as LaTeX, for pdflatex and lualatex alike: one run, no warnings, nothing wider than the page.

TeX itself measures: a long formula arrives in pieces (`breaking`) and is broken where the line really ends; a piece that no line can
hold is scaled (`\\sgfit`).  Chains, tables and steps are paragraphs, so that pages may break anywhere between their rows.
"""

from __future__ import annotations

from typing import assert_never

from symgrad.sheet import document as D
from symgrad.sheet import tex as T
from symgrad.sheet.breaking import pieces, width
from symgrad.sheet.symbols import escape_tex

PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage{iftex}
\ifpdftex\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\fi
\usepackage{lmodern}
\usepackage{textcomp}
\usepackage{amsmath,amssymb}
\usepackage[a4paper,hmargin=24mm,top=22mm,bottom=24mm]{geometry}
\usepackage{graphicx}
\usepackage{xcolor}
\usepackage{tikz}
\IfFileExists{microtype.sty}{\usepackage{microtype}}{}
\definecolor{sgaccent}{HTML}{1F4E9C}
\definecolor{sgsoft}{HTML}{5A6270}
\definecolor{sgline}{HTML}{C9CDD4}
\definecolor{sgproved}{HTML}{1A7346}
\definecolor{sgtested}{HTML}{8A6100}
\definecolor{sggiven}{HTML}{57606A}
\definecolor{sgrefuted}{HTML}{B3261E}
\definecolor{sgundecided}{HTML}{6B5A91}
\definecolor{teal}{HTML}{008080}
\allowdisplaybreaks
\raggedbottom
\emergencystretch=3em
\tolerance=9999
\hbadness=10000
\setlength{\parindent}{0pt}
\setlength{\parskip}{5pt plus 1.5pt minus 0.5pt}
\setlength{\fboxsep}{3pt}
\setcounter{MaxMatrixCols}{64}
\newdimen\sgroom \newdimen\sgleft \newdimen\sgnote
\newbox\sgbox \newbox\sgnotebox
% lines with fractions keep apart
\newcommand{\sglines}{\lineskiplimit=2.5pt\lineskip=5pt\relax}
% everything inside is moved to the right, however deep
\newenvironment{sgindent}[1]{\par\advance\leftskip#1\relax\advance\linewidth-#1\relax}{\par}
% a box no wider than \sgroom
\newcommand{\sgfit}[1]{\sbox\sgbox{#1}\leavevmode\ifdim\wd\sgbox>\sgroom\resizebox{\sgroom}{!}{\usebox\sgbox}\else\usebox\sgbox\fi}
% a formula in text, and pieces of a long one: \sgp whole or first, \sgs at a relation or sum, \sgw at a product
\newcommand{\sgp}[1]{\sgfit{$\displaystyle #1$}}
\newcommand{\sgs}[1]{\penalty0\relax\sgfit{$\displaystyle #1$}}
\newcommand{\sgw}[1]{\penalty300\relax\sgfit{$\displaystyle #1$}}
\newcommand{\sgts}[1]{\penalty0\relax\begingroup\sgroom=.92\sgroom\sgfit{$#1$}\endgroup}% room for a full stop
\newcommand{\sgtw}[1]{\penalty300\relax\begingroup\sgroom=.92\sgroom\sgfit{$#1$}\endgroup}
% words in a cell or a note, ragged; all that is inside fits
\newcommand{\sgcell}[2]{\begingroup\sgroom=#1\relax
  \parbox[t]{\sgroom}{\rightskip=0pt plus 1fil\relax\emergencystretch=0pt\sglines\strut #2\unskip\strut}\endgroup}
% a row of a chain: left, relation, right in pieces, note
\newcommand{\sgrow}[4]{\par
  \sgroom=\dimexpr\linewidth-\sgleft-2.4em\relax
  \sbox\sgnotebox{\footnotesize\color{sgsoft}#4}%
  \sgnote=.34\linewidth
  \begingroup\sglines\rightskip=0pt plus 1fil\relax\interlinepenalty=200
  \hangindent=\dimexpr\sgleft+2.4em\relax\hangafter=1
  \noindent\hbox to\sgleft{\hss$\displaystyle #1$}\hbox to 2.4em{\hss$#2$\hss}#3%
  \ifdim\wd\sgnotebox>0pt
    \unskip\nobreak\hfil\penalty50\hskip1.5em\hbox{}\nobreak\hfill
    {\footnotesize\color{sgsoft}\ifdim\wd\sgnotebox>\sgnote
      \parbox[t]{\sgnote}{\sgroom=\sgnote\relax\leftskip=0pt plus 1fil\rightskip=0pt\parfillskip=0pt\relax #4}\else\box\sgnotebox\fi}%
    \hskip0pt plus -1fil\parfillskip=0pt\relax
  \fi
  \par\endgroup}
% \sgleft becomes the width of the left side; a left side too wide stands on a line of its own
\newcommand{\sgchain}[2]{\par\sbox\sgbox{$\displaystyle #1$}\sgleft=\wd\sgbox}
\newcommand{\sgdisplay}[1]{\par\begingroup\sgroom=\linewidth\sglines\advance\leftskip0pt plus 1fil\rightskip=0pt plus 1fil%
  \parfillskip=0pt\relax
  \addvspace{4pt}\noindent #1\par\addvspace{4pt}\endgroup}
\newcommand{\sgboxed}[1]{\par\addvspace{6pt}\begingroup\fboxsep=7pt\fboxrule=0.9pt
  \noindent\fcolorbox{sgaccent}{sgaccent!5}{\begin{minipage}{\dimexpr\linewidth-16pt\relax}\rightskip=0pt plus 1fil #1\end{minipage}}%
  \par\endgroup\addvspace{6pt}}
\newcommand{\sgframed}[1]{\par\addvspace{6pt}\begingroup\fboxsep=7pt\fboxrule=0.9pt\sgroom=\dimexpr\linewidth-16pt\relax
  \noindent\fcolorbox{sgaccent}{sgaccent!5}{\sgfit{$\displaystyle #1$}}\par\endgroup\addvspace{6pt}}
\newcommand{\sgcode}[1]{{\normalfont\ttfamily #1}}
\newcommand{\sgbadge}[2]{\begingroup\setlength{\fboxsep}{2pt}\colorbox{sg#1}{\rule[-0.5pt]{0pt}{6.5pt}\textcolor{white}{\sffamily%
  \bfseries\scriptsize #2}}\endgroup}
\newcommand{\sgstamp}[3]{\par{\rightskip=0pt plus 1fil\sgroom=\linewidth\noindent\sgbadge{#1}{#2}\enspace{\footnotesize%
  \color{sgsoft}#3}\par}}
\newcommand{\sgmark}[1]{{\setlength{\fboxsep}{2pt}\fcolorbox{sgaccent}{white}{\rule[-0.5pt]{0pt}{6.5pt}\textcolor{sgaccent}{\sffamily%
  \bfseries\scriptsize #1}}}}
\newcommand{\sgrule}{\par\nobreak\nointerlineskip\vskip2.5pt\hbox{\hskip\leftskip{\color{sgline}\vrule width%
  \linewidth height0.4pt depth0pt}}\nobreak\nointerlineskip\vskip2.5pt\relax}
\newcommand{\sgpicture}[1]{\par\addvspace{8pt}\sbox\sgbox{#1}\ifdim\wd\sgbox>\linewidth\sbox\sgbox{\resizebox{\linewidth}{!}{\usebox%
  \sgbox}}\fi
  \ifdim\ht\sgbox>.8\textheight\sbox\sgbox{\resizebox{!}{.8\textheight}{\usebox\sgbox}}\fi
  \noindent\hbox to\linewidth{\hss\usebox\sgbox\hss}\par\addvspace{4pt}}
\newcommand{\sgtitle}[2]{{\rightskip=0pt plus 1fil\LARGE\bfseries #1\par}\vskip3pt{\sffamily\bfseries\scriptsize\color{sgsoft}#2\par}%
  \sgrule\vskip4pt}
\newcommand{\sgsection}[1]{\par\addpenalty{-300}\addvspace{18pt plus 4pt}{\rightskip=0pt plus 1fil\sgroom=\linewidth\noindent\Large%
  \bfseries\boldmath #1\par}\nobreak\vskip4pt}
\newcommand{\sgsubsection}[1]{\par\addpenalty{-200}\addvspace{12pt plus 3pt}{\rightskip=0pt plus 1fil\sgroom=\linewidth\noindent%
  \large\bfseries\boldmath #1\par}\nobreak\vskip2pt}
"""
INLINE, LINE = 11.0, 20.0
"""The width, in em, from which a formula is cut: in running text, on a line of its own."""
LONGEST = 24
"""Letters in a word; a longer one is no word."""
PAGE = 38.0
"""What a line holds, in em."""
VIEWS = {"question": "QUESTION", "solution": "SOLUTION", "marking": "MARKING"}
GROUNDS = ("proved", "tested", "given", "refuted", "undecided")


def render(document: D.Document) -> str:
    """The whole file."""
    title = escape_tex(document.title)
    name = ("\ufeff" + document.title).encode("utf-16-be", "replace").hex().upper()
    info = rf"\ifluatex\pdfextension info{{/Title <{name}>}}\else\ifpdftex\pdfinfo{{/Title <{name}>}}\fi\fi"
    view = VIEWS.get(document.view, escape_tex(document.view))
    return f"{PREAMBLE}{info}\n\\begin{{document}}\n\\sgtitle{{{title}}}{{{view}}}\n{_blocks(document.blocks)}\\end{{document}}\n"


def _blocks(blocks: tuple[D.Block, ...], depth: int = 0) -> str:
    return "".join(_block(b, depth) for b in blocks)


def _block(b: D.Block, depth: int) -> str:
    match b:
        case D.Heading(text, level):
            return f"\\{'sgsection' if level <= 2 else 'sgsubsection'}{{{_text(text)}}}\n"
        case D.Paragraph((D.Code(code),)) if "\n" in code:
            lines = "".join(f"\\noindent\\strut {_typed(line)}\\par\n" for line in code.split("\n"))
            return f"\\par\\addvspace{{4pt}}\\begin{{sgindent}}{{1.2em}}\\parskip=0pt\\ttfamily\\small\\sloppy\n{lines}\\end{{sgindent}}\n"
        case D.Paragraph(text):
            ragged = "\\rightskip=0pt plus 1fil" if any(isinstance(p, D.Maths) and width(T.parse(p.tex)) > INLINE for p in text) else ""
            return f"{{\\sgroom=\\linewidth{ragged}\\relax {_text(text)}\\par}}\n"
        case D.Display(formula):
            return f"\\sgdisplay{{{_pieces(formula.tex, LINE)}}}\n"
        case D.Listing(items, ordered):
            return "".join(_item(rf"{k}." if ordered else r"\textbullet", item, depth) for k, item in enumerate(items, 1))
        case D.Chain(left, rows):
            return _chain(left.tex, rows)
        case D.Boxed(left, relation, right):
            if width(T.parse(left.tex)) + width(T.parse(right.tex)) < 0.75 * PAGE:
                return f"\\sgframed{{{canonical(left.tex)} {canonical(relation)} {canonical(right.tex)}}}\n"
            return f"\\sgboxed{{{_chain(left.tex, (D.Row(relation, right),))}}}\n"
        case D.Table(header, lines, caption):
            return _table(header, lines, caption)
        case D.Picture(layout, _, caption):
            from symgrad.sheet.picture import tikz

            words = f"{{\\centering\\small\\color{{sgsoft}}\\sgroom=\\linewidth {_text(caption)}\\par}}\n" if caption else ""
            return f"\\sgpicture{{{tikz(layout)}}}\n{words}"
        case D.Plot(chart, _, caption):
            from symgrad.sheet import plot

            words = f"{{\\centering\\small\\color{{sgsoft}}\\sgroom=\\linewidth {_text(caption)}\\par}}\n" if caption else ""
            return f"\\sgpicture{{{plot.tikz(chart)}}}\n{words}"
        case D.Steps(items):
            return "".join(_step(s, depth) for s in items)
        case D.Stamp():
            return _stamp(b)
    assert_never(b)


def _item(sign: str, item: tuple[D.Block, ...], depth: int) -> str:
    return f"\\begin{{sgindent}}{{1.8em}}\n\\noindent\\llap{{{sign}\\hskip0.6em}}\\ignorespaces\n{_blocks(item, depth)}\\end{{sgindent}}\n"


# ---- formulas ---------------------------------------------------------------------------------------------------


def canonical(tex: str) -> str:
    """Canonical TeX in ASCII, its words escaped."""
    return T.write(T.parse(tex), words=escape_tex)


def _pieces(tex: str, limit: float) -> str:
    """Pieces that TeX may put on lines of their own."""
    cut = pieces(tex, limit)
    return "".join(f"\\{'sgp' if k == 0 else 'sgs' if p.strong else 'sgw'}{{{canonical(p.tex)}}}%\n" for k, p in enumerate(cut))


def _chain(left: str, rows: tuple[D.Row, ...]) -> str:
    """`left` in a column of its own width; where it is wide, on a line of its own with the rows below."""
    wide = width(T.parse(left)) > 11
    first = "" if wide else canonical(left)
    head = f"{{\\sglines\\sgroom=\\linewidth\\rightskip=0pt plus 1fil\\noindent {_pieces(left, LINE)}\\par}}\\nobreak\n" if wide else ""
    lines = "".join(
        f"\\sgrow{{{first if k == 0 else ''}}}{{{canonical(row.relation)}}}{{{_pieces(row.right.tex, LINE)}}}{{{_text(row.note, 9)}}}%\n"
        for k, row in enumerate(rows))
    return f"{{{head}\\sgchain{{{first}}}{{}}{lines}}}\n"


def _text(text: D.Text, limit: float = INLINE) -> str:
    found = []
    for part in text:
        match part:
            case str():
                found.append(_words(part))
            case D.Maths(tex):
                cut = pieces(tex, limit)
                if width(T.parse(tex)) <= limit:
                    found.append(f"${canonical(tex)}$")
                else:
                    found += [f"\\{'sgts' if p.strong else 'sgtw'}{{{canonical(p.tex)}}}" for p in cut]
            case D.Emphasis(words, strong):
                found.append(f"\\{'textbf' if strong else 'emph'}{{{_words(words)}}}")
            case D.Code(words):
                found.append(f"\\sgcode{{{_words(words)}}}")
            case _:
                assert_never(part)
    return "".join(found)


def _words(words: str) -> str:
    """Words escaped; one that no line could hold may be broken anywhere."""
    if max(map(len, words.split(" "))) <= LONGEST:
        return escape_tex(words)
    return " ".join(escape_tex(w) if len(w) <= LONGEST else r"\allowbreak{}".join(map(escape_tex, w)) for w in words.split(" "))


def _typed(line: str) -> str:
    """Code, its blanks kept."""
    bare = line.lstrip(" ")
    return r"\ " * (len(line) - len(bare)) + escape_tex(bare).replace("  ", r"\ \ ")


# ---- tables -----------------------------------------------------------------------------------------------------


def _table(header: tuple[D.Text, ...], lines: tuple[tuple[D.Text, ...], ...], caption: D.Text) -> str:
    """Rows of paragraphs of fixed widths: pages may break between them, and cells wrap rather than overflow."""
    columns = max((len(line) for line in (header, *lines)), default=0)
    if not columns:
        return ""
    wanted = [max((_wanted(line[k]) for line in (header, *lines) if k < len(line)), default=1.0) for k in range(columns)]
    room = PAGE - 1.4 * (columns - 1)
    shares = [w / room for w in _shares(wanted, room)]
    widths = [f"{share * 0.999:.4f}\\dimexpr\\linewidth-{1.4 * (columns - 1):.1f}em\\relax" for share in shares]
    title = f"{{\\noindent\\small\\color{{sgsoft}}\\sgroom=\\linewidth {_text(caption)}\\par\\nobreak}}\n" if caption else ""

    def row(line: tuple[D.Text, ...], bold: bool = False) -> str:
        face = r"\sffamily\bfseries\scriptsize\color{sgsoft}" if bold else ""
        cells = [rf"\sgcell{{{w}}}{{{face}{_text(cell, 0.9 * n)}}}"
                 for cell, w, n in zip(line, widths, _shares(wanted, room), strict=False)]
        return "\\noindent" + "\\hskip1.4em\n".join(cells) + "\\par\\nobreak\\sgrule\n"

    body = "\\penalty-20\n".join(row(line) for line in lines)
    head = row(header, True) if any(header) else "\\sgrule\n"
    return f"{{\\parskip=0pt\\addvspace{{8pt}}\\rightskip=0pt plus 1fil\\relax\n{title}{head}{body}\\addvspace{{8pt}}}}\n"


def _wanted(text: D.Text) -> float:
    """The width of a cell on one line, in em, a little more than it takes."""
    total = 1.2
    for part in text:
        match part:
            case str():
                total += 0.5 * len(part)
            case D.Maths(tex):
                total += 1.05 * width(T.parse(tex))
            case D.Emphasis(words) | D.Code(words):
                total += 0.6 * len(words)
            case _:
                assert_never(part)
    return total


def _shares(wanted: list[float], room: float) -> list[float]:
    """What each column wants if that fits; else the widest give way, all to the same width."""
    if sum(wanted) <= room:
        return wanted
    low, high = 0.0, max(wanted)
    for _ in range(40):
        level = (low + high) / 2
        low, high = (level, high) if sum(min(w, level) for w in wanted) <= room else (low, level)
    return [min(w, low) for w in wanted]


# ---- steps ------------------------------------------------------------------------------------------------------


def _step(s: D.StepBlock, depth: int) -> str:
    mark = f"\\nobreak\\hfill\\sgmark{{{escape_tex(s.mark.amount)} {'mark' if s.mark.amount == '1' else 'marks'}}}" if s.mark else ""
    verdict = _stamp(s.stamp) if s.stamp else ""
    details = f"{{\\small {''.join(_step(d, depth + 1) for d in s.details)}}}" if s.details else ""
    number = escape_tex(s.number)
    indent = "0pt" if depth > 4 or len(s.number) > 12 else f"{max(2.2, 0.55 * len(s.number) + 0.9):.2f}em"
    bold = rf"\textbf{{\color{{sgaccent}}{number}}}"
    lead = rf"\llap{{\hbox to {indent}{{{bold}\hss}}}}" if indent != "0pt" else rf"{bold}\enspace{{}}"
    fill = r"\parfillskip=0pt" if mark else ""
    space = "8pt" if depth == 0 else "3pt"
    return (f"\\addvspace{{{space}}}\\begin{{sgindent}}{{{indent}}}\n{{\\sgroom=\\linewidth\\rightskip=0pt plus 1fil"
            f"{fill}\\relax\\sglines\\noindent{lead}{_text(s.title)}{mark}\\par}}\\nobreak\n"
            f"{_blocks(s.blocks, depth + 1)}{verdict}{details}\\end{{sgindent}}\n")


def _stamp(s: D.Stamp) -> str:
    kind = s.ground if s.ground in GROUNDS else "undecided"
    return f"\\sgstamp{{{kind}}}{{{escape_tex(s.ground)}}}{{{_text(s.words)}}}\n"
