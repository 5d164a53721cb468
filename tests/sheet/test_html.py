from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from symgrad.sheet import document as D
from symgrad.sheet.html import fragment, render

from .sample import TWO_PATHS, evil, rich

VOID = {"meta", "wbr", "br", "col", "path", "line", "rect", "circle", "polygon", "polyline", "ellipse", "use", "mspace"}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class _Reader(HTMLParser):
    """Elements, ids, addresses and text; balanced or an error."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "srcset", "action", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_one_file_without_script_or_address() -> None:
    page = render(rich())
    found = _Reader(page)
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(found.tags)
    assert not any(name.startswith("on") for name in found.attributes)
    assert all(link.startswith("#") for link in found.links)
    bare = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    assert not re.search(r"https?:|url\((?!#)|@import", bare)
    assert '<html lang="en">' in page and 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page and "@media print" in page


def test_steps_are_anchors_and_details_fold() -> None:
    found = _Reader(render(rich()))
    assert found.ids.count("p1-2-1-1") == 1
    assert len(found.ids) == len(set(found.ids))
    assert {link.removeprefix("#") for link in found.links} <= set(found.ids)
    assert found.tags.count("details") == 2


def test_chains_have_one_formula_a_cell_and_stamps_their_words() -> None:
    page = render(rich())
    rows = re.findall(r'<tr><td class="left">(.*?)</td><td class="relation">(.*?)</td><td class="right">', page)
    assert len(rows) > 10 and all(relation.count("<math") == 1 for _, relation in rows)
    for ground in ("proved", "tested", "given", "refuted", "undecided"):
        assert f'<span class="badge {ground}">{ground}</span>' in page
    assert "3 marks" in page and "1 mark<" in page
    assert "proved for all" not in page, "the badge has said it"


def test_a_long_sum_is_in_pieces_that_keep_its_terms() -> None:
    page = render(D.Document("t", "question", (D.Display(D.Maths(TWO_PATHS)),)))
    assert page.count('<span class="term">') == 2
    assert page.count("<math") == 14


def test_hostile_text_is_text() -> None:
    page = render(evil())
    found = _Reader(page)
    assert "script" not in found.tags
    assert found.text.count("<script>alert(1)</script>") > 20
    assert page.count("<main") == 1


def test_a_fragment_is_scoped() -> None:
    text = fragment(rich())
    found = _Reader(re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL))  # the title of a picture is not a page's
    assert not {"html", "head", "body", "title", "meta"} & set(found.tags)
    style = re.sub(r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}", r"\1", text.split("<style>")[1].split("</style>")[0])
    selectors = [s.strip() for rule in re.findall(r"([^{}]+)\{", style) for s in rule.split(",")]
    assert selectors and all(s.startswith(".symgrad") for s in selectors)


def chromium(tool: Callable[[str], str], folder: Path, page: str, *flags: str) -> None:
    """Chromium with the page; fails if it does."""
    (folder / "page.html").write_text(page, "utf-8")
    run = subprocess.run(
        [tool("chromium"), *FLAGS, f"--user-data-dir={folder / 'profile'}", "--hide-scrollbars", *flags, str(folder / "page.html")],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    shutil.rmtree(folder / "profile", ignore_errors=True)
    assert run.returncode == 0, run.stderr.decode(errors="replace")[-2000:]


def test_a_browser_draws_it(tool: Callable[[str], str], tmp_path: Path) -> None:
    chromium(tool, tmp_path, render(rich()), "--window-size=1000,3200", f"--screenshot={tmp_path / 'page.png'}")
    png = (tmp_path / "page.png").read_bytes()
    assert png.startswith(b"\x89PNG") and len(png) > 50_000


@pytest.mark.parametrize("width", [360, 1000])
def test_the_page_never_scrolls_sideways(tool: Callable[[str], str], tmp_path: Path, width: int) -> None:
    """A probe that only this test adds measures the page inside a frame of that width."""
    (tmp_path / "inner.html").write_text(render(rich()), "utf-8")
    probe = (
        f'<iframe id="f" src="inner.html" style="width:{width}px;height:900px"></iframe><script>onload = () => {{'
        "const d = document.getElementById('f').contentDocument.documentElement;"
        "document.body.dataset.wide = d.scrollWidth + '/' + d.clientWidth }</script>"
    )
    (tmp_path / "page.html").write_text(probe, "utf-8")
    run = subprocess.run(
        [
            tool("chromium"),
            *FLAGS,
            f"--user-data-dir={tmp_path / 'profile'}",
            "--allow-file-access-from-files",
            "--dump-dom",
            str(tmp_path / "page.html"),
        ],
        capture_output=True,
        timeout=120,
        check=False,
    )
    wide = re.search(r'data-wide="(\d+)/(\d+)"', run.stdout.decode())
    assert wide is not None and int(wide[1]) <= int(wide[2]) <= width


def test_paper_shows_what_is_folded(tool: Callable[[str], str], tmp_path: Path) -> None:
    chromium(tool, tmp_path, render(rich()), "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'page.pdf'}")
    text = subprocess.run([tool("pdftotext"), str(tmp_path / "page.pdf"), "-"], capture_output=True, check=True).stdout.decode()
    assert "derivative of the sigmoid" in text and "2.1.1" in text
