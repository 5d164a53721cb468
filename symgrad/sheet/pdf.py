"""PDF by the first engine found: latexmk, tectonic, lualatex, pdflatex on the LaTeX; else a browser printing the HTML."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from symgrad.language.errors import Unsupported

ENGINES = ("latexmk", "tectonic", "lualatex", "pdflatex")
SECONDS = 180
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "microsoft-edge")


def engine() -> str | None:
    """The name of the first PDF engine on this machine."""
    return next((name for name in (*ENGINES, *BROWSERS) if shutil.which(name)), None)


def print_pdf(target: Path, tex: str, html: str) -> str:
    """Writes `target`; returns the engine's name.  Raises Unsupported (the .tex and .html stay beside it) if none works."""
    name = engine()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_suffix(".tex").write_text(tex, "utf-8")
    target.with_suffix(".html").write_text(html, "utf-8")
    if name is None:
        raise Unsupported("no PDF engine was found; install latexmk, tectonic, lualatex, pdflatex or Chromium "
                          f"({target.with_suffix('.tex').name} and {target.with_suffix('.html').name} are kept)")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sheet.tex").write_text(tex, "utf-8")
        (Path(folder) / "sheet.html").write_text(html, "utf-8")
        try:
            run = subprocess.run(_command(name, folder), cwd=folder, capture_output=True, timeout=SECONDS, check=False,
                                 env={**os.environ, "openin_any": "p", "openout_any": "p"})
        except subprocess.TimeoutExpired:
            raise Unsupported(f"{name} did not finish within {SECONDS} s ({target.with_suffix('.tex').name} is kept)") from None
        made = Path(folder) / "sheet.pdf"
        if run.returncode != 0 or not made.exists():
            raise Unsupported(f"{name} could not make the PDF ({target.with_suffix('.tex').name} is kept): "
                              f"{run.stdout.decode(errors='replace')[-400:]}")
        shutil.copyfile(made, target.with_suffix(".pdf.tmp"))
        os.replace(target.with_suffix(".pdf.tmp"), target)
    return name


def _command(name: str, folder: str) -> list[str]:
    match name:
        case "latexmk":
            return ["latexmk", "-pdf", "-interaction=nonstopmode", "-no-shell-escape", "-norc", "sheet.tex"]
        case "tectonic":
            return ["tectonic", "--untrusted", "sheet.tex"]
        case "lualatex" | "pdflatex":
            return [name, "-interaction=nonstopmode", "-no-shell-escape", "sheet.tex"]
    return [name, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer", "--print-to-pdf=sheet.pdf", "sheet.html"]
