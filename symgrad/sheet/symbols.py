"""The symbols that formulas may contain, and plain text in LaTeX.

To admit a symbol: one word in its table, and it must survive `tests/sheet/test_mathml.py` and `test_latex.py`.
"""

from __future__ import annotations


def _table(words: str) -> frozenset[str]:
    return frozenset("\\" + word for word in words.split())


GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "varpi": "ϖ", "rho": "ρ",
    "varrho": "ϱ", "sigma": "σ", "varsigma": "ς", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}
OTHERS = {
    "partial": "∂", "nabla": "∇", "infty": "∞", "ell": "ℓ", "hbar": "ℏ", "forall": "∀", "exists": "∃", "emptyset": "∅", "top": "⊤",
    "bot": "⊥", "prime": "′", "ldots": "…", "dots": "…", "cdots": "⋯", "vdots": "⋮", "ddots": "⋱", "therefore": "∴", "because": "∵",
    "neg": "¬", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
}
RELATIONS = {
    "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "sim": "∼", "simeq": "≃", "cong": "≅",
    "equiv": "≡", "propto": "∝", "in": "∈", "notin": "∉", "ni": "∋", "subset": "⊂", "subseteq": "⊆", "supset": "⊃", "supseteq": "⊇",
    "ll": "≪", "gg": "≫", "leqslant": "⩽", "geqslant": "⩾", "to": "→", "rightarrow": "→", "leftarrow": "←", "gets": "←",
    "leftrightarrow": "↔", "Rightarrow": "⇒", "Leftarrow": "⇐", "Leftrightarrow": "⇔", "implies": "⟹", "iff": "⟺", "mapsto": "↦",
    "longrightarrow": "⟶", "longleftarrow": "⟵", "Longrightarrow": "⟹", "perp": "⟂", "parallel": "∥", "mid": "∣", "triangleq": "≜",
}
SUMS = {"pm": "±", "mp": "∓", "oplus": "⊕", "ominus": "⊖", "cup": "∪", "cap": "∩", "vee": "∨", "wedge": "∧", "lor": "∨", "land": "∧",
        "setminus": "∖"}
PRODUCTS = {"cdot": "·", "times": "×", "div": "÷", "circ": "∘", "odot": "⊙", "otimes": "⊗", "oslash": "⊘", "ast": "∗", "star": "⋆", "bullet": "∙"}
LARGE = {"sum": "∑", "prod": "∏", "int": "∫", "bigcup": "⋃", "bigcap": "⋂", "bigoplus": "⨁", "bigotimes": "⨂", "bigodot": "⨀"}
FUNCTIONS = _table("exp log ln lg sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan "
                   "max min arg sup inf lim det dim ker gcd deg Pr")
LIMITED = _table("max min sup inf lim det gcd Pr")
SPACES = {r"\,": 0.17, r"\:": 0.22, r"\>": 0.22, r"\;": 0.28, r"\!": -0.17, r"\ ": 0.33, r"\quad": 1.0, r"\qquad": 2.0}
ACCENTS = _table("bar hat tilde vec dot ddot overline underline widehat overrightarrow overbrace underbrace")
FACES = _table("mathbf boldsymbol mathcal mathbb mathfrak")  # of letters
UPRIGHT = _table("mathrm operatorname")  # of a word
WORDS = _table("text textrm textbf textit")
ONE = ACCENTS | FACES | _table("sqrt xrightarrow xleftarrow")
TWO = _table("frac dfrac tfrac binom overset underset stackrel textcolor")
COLOURS = frozenset(("black", "blue", "brown", "cyan", "gray", "green", "magenta", "orange", "purple", "red", "teal", "violet"))
ENVIRONMENTS = frozenset(("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "cases", "array"))
DELIMITERS = frozenset(("(", ")", "[", "]", "|", "/", ".", r"\{", r"\}", r"\|", r"\lvert", r"\rvert", r"\lVert", r"\rVert",
                        r"\vert", r"\Vert",
                        r"\langle", r"\rangle", r"\lfloor", r"\rfloor", r"\lceil", r"\rceil", r"\lbrace", r"\rbrace"))
SIZES = _table("big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr")
STYLES = _table("displaystyle textstyle")

UNICODE: dict[str, str] = {"\\" + w: c for t in (GREEK, OTHERS, RELATIONS, SUMS, PRODUCTS, LARGE) for w, c in t.items()}
COMMANDS = {character: word for word, character in reversed(UNICODE.items())} | {
    "−": "-", "⋅": r"\cdot", "′": "'", "∗": "*", "∥": r"\|", "‖": r"\|", "⊤": r"\top", "ᵀ": r"^{\top}",
    "×": r"\times", "·": r"\cdot", "∘": r"\circ"}
SYMBOLS = frozenset(UNICODE) | FUNCTIONS | frozenset(SPACES) | STYLES | DELIMITERS - {"."}
CHARACTERS = frozenset("+-*/=<>()[]|,.;:!?")
ADVICE = {
    "align": "write one formula a line", "aligned": "write one formula a line", "gathered": "write one formula a line",
    r"\tag": "sheets number their steps themselves", r"\label": "sheets number their steps themselves",
    r"\boxed": "answers are framed by the sheet", r"\bm": r"write \boldsymbol", r"\bf": r"write \mathbf{..}", r"\rm": r"write \mathrm{..}",
    r"\not": r"write \neq or \notin", r"\mathsf": r"write \mathrm", r"\hspace": r"write \quad", r"\textcircled": r"write \text{..}",
    r"\widetilde": r"write \tilde", r"\argmax": r"write \operatorname*{argmax}",
    r"\argmin": r"write \operatorname*{argmin}", r"\over": r"write \frac{..}{..}",
}


# ---- plain text in LaTeX ----------------------------------------------------------------------------------------

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "&": r"\&", "#": r"\#", "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "-": "-{}", "'": "'{}", ",": ",{}",  # no ligatures: -- and '' are as they are written
    "\u00a0": "~", "\u202f": r"\,", "\u2009": r"\,", "–": r"\textendash{}", "—": r"\textemdash{}", "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}", "…": r"\ldots{}", "•": r"\textbullet{}", "§": r"\S{}", "°": r"\textdegree{}",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "ø": r"\o{}", "Ø": r"\O{}", "œ": r"\oe{}", "Œ": r"\OE{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
    "²": r"\textsuperscript{2}", "³": r"\textsuperscript{3}", "¹": r"\textsuperscript{1}", "‑": "-{}", "½": r"\ensuremath{\frac{1}{2}}",
    "✓": r"\ensuremath{\checkmark}", "\u200b": "", "\ufeff": "", "\u00ad": r"\-",
}
_LIGATURES = frozenset("-',")
_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u0304": "=", "\u0306": "u", "\u0307": ".",
            "\u030a": "r",
            "\u030b": "H", "\u030c": "v", "\u0327": "c", "\u0328": "k", "\u0323": "d"}


def escape_tex(text: str) -> str:
    """Plain text as LaTeX for pdflatex and lualatex alike; a character that the fonts lack is shown by its code, never dropped."""
    found: list[str] = []
    for k, c in enumerate(text):
        if c in _LIGATURES:
            found.append(_ESCAPES[c] if text[k + 1 : k + 2] == c else c)
        elif c in _ESCAPES:
            found.append(_ESCAPES[c])
        elif c in "\t\n\r":
            found.append(" ")
        elif " " <= c <= "~":
            found.append(c)
        elif c in COMMANDS:
            command = COMMANDS[c]
            found.append(rf"\ensuremath{{{command if command[0] != '^' else '{}' + command}}}")
        else:
            found.append(_foreign(c))
    return "".join(found)


def _foreign(character: str) -> str:
    import unicodedata

    whole = unicodedata.normalize("NFD", character)
    base, marks = whole[:1], whole[1:]
    if marks and base.isascii() and base.isalpha() and all(m in _ACCENTS for m in marks):
        letter = rf"\{base}" if base in "ij" and not {"\u0327", "\u0328", "\u0323"} & set(marks) else base
        for mark in marks:
            letter = rf"\{_ACCENTS[mark]}{{{letter}}}"
        return letter
    return rf"{{\normalfont\ttfamily [U+{ord(character):04X}]}}"
