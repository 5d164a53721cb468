"""The command line: thin.  Exit status 0 all good, 1 something refuted, failed or undecided, 2 the input is wrong."""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from symgrad import __version__

if TYPE_CHECKING:
    from symgrad.pipeline import Outcome

ALL_FORMATS = ("html", "latex", "markdown", "json", "pdf")
DEFAULT_FORMATS = ("html", "latex", "markdown", "json")
VIEWS = ("question", "solution", "marking")

TEMPLATE = '''format = 1
id = "{name}"
title = "A title"
source = "Where the problem comes from"
statement = \'\'\'
What the reader needs to know, in Markdown with $formulas$.
\'\'\'

[symbols]                       # the leaves: shape "" is a scalar, "N" a vector, "K, N" a matrix
x = {{ shape = "N", role = "input" }}
W = {{ shape = "K, N" }}
t = {{ shape = "K", role = "given" }}

[model]                         # one definition a line; @ is the matrix product, * is entrywise
let = \'\'\'
z = W @ x
h = sigmoid(z)
L = 1/2 * norm(h - t)^2
\'\'\'

[[part]]
label = "a"
ask = "backward"                # every kind of question is in the README
of = "L"
wrt = ["W", "x"]

[expected]                      # optional, only compared after everything is derived
"a.W_bar" = "z_bar @ x.T"
'''


def parser() -> argparse.ArgumentParser:
    """All commands and options; importing this costs no SymPy."""
    top = argparse.ArgumentParser(prog="symgrad", description="Derive, check and typeset the mathematics of neural networks.")
    top.add_argument("--version", action="version", version=f"symgrad {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    solve = commands.add_parser("solve", help="derive, check and write the sheets of problem files")
    solve.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="problem files, or folders of them")
    solve.add_argument("--out", type=Path, default=Path("outputs"), metavar="DIR", help="where sheets go (default: outputs)")
    solve.add_argument("--format", action="append", choices=ALL_FORMATS, metavar="F",
                       help=f"{', '.join(ALL_FORMATS)}; may be repeated (default: all but pdf)")
    solve.add_argument("--view", action="append", choices=VIEWS, metavar="V", help=f"{', '.join(VIEWS)}; may be repeated (default: all)")
    solve.add_argument("--jobs", type=int, default=0, metavar="N", help="processes for several problems (default: one a core)")
    check = commands.add_parser("check", help="verify a certificate against its problem file, without the code that derived it")
    check.add_argument("problem", type=Path)
    check.add_argument("certificate", type=Path)
    listing = commands.add_parser("list", help="the problem files of a folder and what they ask")
    listing.add_argument("paths", nargs="*", type=Path, default=[Path("problems")], metavar="PATH")
    new = commands.add_parser("new", help="write a problem file to start from")
    new.add_argument("name")
    new.add_argument("--dir", type=Path, default=Path("."), metavar="DIR")
    commands.add_parser("doctor", help="what is installed, and what is missing for which purpose")
    schema = commands.add_parser("schema", help="print the JSON Schema of problem files, for editors")
    schema.set_defaults(command="schema")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    gc.set_threshold(1_000_000, 20, 20)  # what is imported and derived lives to the end: looking for garbage in it costs a tenth of the time
    options = parser().parse_args(arguments)
    try:
        match options.command:
            case "solve":
                return solve_command(options)
            case "check":
                return check_command(options)
            case "list":
                return list_command(options)
            case "new":
                return new_command(options)
            case "schema":
                return schema_command()
        return doctor_command()
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        print("symgrad: stopped", file=sys.stderr)
        return 130
    except Exception as error:
        from symgrad.language.errors import SymgradError
        if isinstance(error, SymgradError):
            print(f"symgrad: {error}", file=sys.stderr)
            return 2
        raise


def solve_command(options: argparse.Namespace) -> int:
    from symgrad.pipeline import problem_files

    files = problem_files(options.paths)
    formats, views = tuple(dict.fromkeys(options.format or DEFAULT_FORMATS)), tuple(dict.fromkeys(options.view or VIEWS))
    outcomes = list(run(files, options.out, formats, views, options.jobs))
    print_summary(outcomes)
    if any(o.rows for o in outcomes):
        print(f"Sheets and certificates are in {(options.out / '<problem>').as_posix()}/.")
    for outcome in outcomes:
        for error in outcome.errors:
            print(f"error: {error}", file=sys.stderr)
        for row in outcome.rows:
            if row.failure:
                print(f"failed: {outcome.file}, part {row.part}: {row.failure}", file=sys.stderr)
            if row.expected.startswith("no"):
                print(f"disagrees: {outcome.file}, part {row.part}: [expected] {row.expected.removeprefix('no: ')} is not what was derived; "
                      f"see the marking view", file=sys.stderr)
        for failure in filter(None, (outcome.crash, outcome.unprinted)):
            print(f"failed: {failure}", file=sys.stderr)
    if any(o.errors for o in outcomes):
        return 2
    return 0 if all(row.good for o in outcomes for row in o.rows) and not any(o.crash or o.unprinted for o in outcomes) else 1


def run(files: list[Path], out: Path, formats: tuple[str, ...], views: tuple[str, ...], jobs: int) -> list[Outcome]:
    """All files, in parallel processes where there are several, with progress on a terminal; outcomes in the order of the files."""
    import os

    from symgrad.pipeline import solve_file

    workers = min(jobs or os.cpu_count() or 1, len(files))
    with progress(len(files)) as note:
        if workers <= 1:
            return [note(solve_file(f, out, formats, views)) for f in files]
        from concurrent.futures import ProcessPoolExecutor, as_completed
        with ProcessPoolExecutor(workers) as pool:
            work = [pool.submit(solve_file, f, out, formats, views) for f in files]
            for done in as_completed(work):
                note(done.result())
            return [w.result() for w in work]


@contextlib.contextmanager
def progress(total: int) -> Iterator[Callable[[Outcome], Outcome]]:
    """Takes note of every outcome and passes it on; a bar on the terminal while the work lasts, nothing where errors go to a file."""
    if not sys.stderr.isatty():
        yield lambda outcome: outcome
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("solving"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[last]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total, last="")

        def note(outcome: Outcome) -> Outcome:
            bar.update(task, advance=1, last=Path(outcome.file).name)
            return outcome

        yield note


def print_summary(outcomes: list[Outcome]) -> None:
    """The table at the end: problem, part, steps, the checker's verdicts, finite differences, whether [expected] agrees."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("problem", "part", "ask", "steps", "verdicts", "worst error", "expected"):
        table.add_column(heading, no_wrap=heading in ("problem", "part", "ask"), justify="right" if heading == "steps" else "left")
    for o in outcomes:
        for row in o.rows:
            said = ", ".join(f"{row.counts[k]} {k}" for k in ("proved", "tested", "given", "refuted", "undecided") if row.counts.get(k))
            error = row.comparison.error if row.comparison else ""
            table.add_row(row.problem, row.part, row.ask, str(row.steps), said or "-", error or "-", row.expected or "-",
                          style=None if row.good else "red")
        if o.errors or o.crash:
            table.add_row(Path(o.file).stem, "-", "-", "-", "failed" if o.crash else "input is wrong", "-", "-", style="red")
    console = Console(width=None if sys.stdout.isatty() else 120)
    with console.capture() as text:
        console.print(table)
    print("\n".join(line.rstrip() for line in text.get().strip("\n").splitlines()))


def check_command(options: argparse.Namespace) -> int:
    from symgrad.replay import replay

    found = replay(options.problem, options.certificate)
    for complaint in found.complaints:
        print(f"refused: {complaint}")
    if found.holds:
        print(f"{options.certificate}: {found.claims} claims verified again" + (f", {found.undecided} undecided" if found.undecided else ""))
    return 0 if found.holds and not found.undecided else 1


def list_command(options: argparse.Namespace) -> int:
    from symgrad.language.errors import SpecErrors
    from symgrad.pipeline import problem_files
    from symgrad.reader.read import read

    status = 0
    for path in problem_files(options.paths):
        try:
            problem, _ = read(path)
            asks = ", ".join(f"{p.label}: {p.ask.kind}" for p in problem.parts)
            print(f"{problem.id:28} {problem.title}  ({asks})")
        except SpecErrors as error:
            status = 2
            print(f"error: {error}", file=sys.stderr)
    return status


def new_command(options: argparse.Namespace) -> int:
    import re

    if not re.fullmatch(r"[a-z0-9][a-z0-9_\-]{0,63}", options.name):
        print(f"symgrad: {options.name!r} is not an id; use small letters, digits, - and _", file=sys.stderr)
        return 2
    target = options.dir / f"{options.name}.toml"
    try:
        options.dir.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name=options.name))
    except FileExistsError:
        print(f"symgrad: {target} is there already; it was not touched", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"symgrad: {target} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    print(f"wrote {target}; now: symgrad solve {target}")
    return 0


def schema_command() -> int:
    import json

    from symgrad.reader.file import FileSpec

    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A symgrad problem file"}
    print(json.dumps({**FileSpec.model_json_schema(), **about}, indent=2, sort_keys=True))
    return 0


def doctor_command() -> int:
    """Versions of what symgrad stands on, and the tools that PDF needs."""
    import shutil
    from importlib.metadata import PackageNotFoundError, version

    status = 0
    print(f"symgrad {__version__}, Python {sys.version.split()[0]}")
    for name in ("sympy", "numpy", "pydantic", "latex2mathml", "z3-solver", "rich", "markdown-it-py", "mdit-py-plugins"):
        try:
            print(f"  {name:16} {version(name)}")
        except PackageNotFoundError:
            print(f"  {name:16} missing: pip install {name}")
            status = 1
    from symgrad.sheet.pdf import BROWSERS, ENGINES
    found = [name for name in (*ENGINES, *BROWSERS) if shutil.which(name)]
    if found:
        others = f" (also found: {', '.join(found[1:])})" if found[1:] else ""
        print(f"PDF sheets (--format pdf) are made by {found[0]}{others}")
    else:
        print("PDF sheets (--format pdf) cannot be made: install latexmk or Chromium; HTML, LaTeX, Markdown and JSON need neither")
    print("All that symgrad needs is here." if status == 0 else "Something is missing, see above.")
    return status
