"""The looks of a sheet in HTML: `SHEET` is scoped to `.symgrad` and goes wherever a sheet goes, `PAGE` is for a page alone."""

SHEET = """\
.symgrad {
  --ink: var(--jp-content-font-color1, var(--vscode-foreground, #1b1f27)); --soft: var(--jp-content-font-color2, #5a6270);
  --line: var(--jp-border-color2, #d9dbe0); --tint: var(--jp-layout-color1, #f3f4f6); --paper: var(--jp-layout-color0, #fbfbf9);
  --accent: #2456a6; --answer: #2456a6;
  box-sizing: border-box; max-width: 54rem; color: var(--ink);
  font: 1.0625rem/1.6 "Source Serif 4", "Source Serif Pro", Charter, "Iowan Old Style", "Palatino Linotype", Georgia,
    "Latin Modern Roman", serif;
  text-rendering: optimizeLegibility; overflow-wrap: break-word;
}
.symgrad *, .symgrad *::before { box-sizing: border-box; }
.symgrad math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "Libertinus Math", math; font-size: 1.06em; }
.symgrad mtd { padding: 0.32em 0.5em; }
.symgrad mtd[columnalign="left"] { text-align: left; text-align: -webkit-left; }
.symgrad mtd[columnalign="right"] { text-align: right; text-align: -webkit-right; }
.symgrad math[display="block"] { display: inline math; math-style: normal; }
.symgrad header { border-bottom: 1px solid var(--line); margin-bottom: 1.8rem; padding-bottom: 0.9rem; display: flex; gap: 1rem;
  align-items: baseline;
  justify-content: space-between; flex-wrap: wrap; }
.symgrad h1, .symgrad h2, .symgrad h3, .symgrad h4 { line-height: 1.25; font-weight: 650; text-wrap: balance; color: inherit; }
.symgrad h1 { font-size: 1.75rem; margin: 0; letter-spacing: -0.012em; }
.symgrad h2 { font-size: 1.3rem; margin: 2.6rem 0 0.9rem; padding-top: 0; }
.symgrad h3 { font-size: 1.08rem; margin: 1.8rem 0 0.6rem; }
.symgrad .view { margin: 0; color: var(--soft); font: 600 0.72rem/1 system-ui, sans-serif; letter-spacing: 0.1em;
  text-transform: uppercase; }
.symgrad p { margin: 0.75rem 0; }
.symgrad ul, .symgrad ol { margin: 0.75rem 0; padding-left: 1.6rem; }
.symgrad li > p { margin: 0.3rem 0; }
.symgrad code { font: 0.86em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; background: var(--tint);
  padding: 0.1em 0.35em;
  border-radius: 4px; }
.symgrad pre { background: var(--tint); padding: 0.8rem 1rem; border-radius: 6px; overflow-x: auto; }
.symgrad pre code { padding: 0; background: none; }
.symgrad a { color: var(--accent); }
.symgrad .scroll { overflow-x: auto; overflow-y: hidden; max-width: 100%; padding: 0.15rem 0; scrollbar-width: thin; }
.symgrad .display { margin: 1rem 0; text-align: center; }
.symgrad .long, .symgrad .term { display: flex; flex-wrap: wrap; align-items: baseline; row-gap: 0.55em; max-width: 100%; min-width: 0; }
.symgrad .display > .long { display: inline-flex; text-align: left; }
.symgrad .term > math { flex: none; }

.symgrad table { border-collapse: collapse; background: none; color: inherit; font-size: inherit; border: 0; margin: 0; }
.symgrad td, .symgrad th { background: none; border: 0; text-align: left; max-width: none; white-space: normal; }
.symgrad .chain { width: 100%; margin: 0.35rem 0; table-layout: auto; }
.symgrad .chain tr { background: none; }
.symgrad .chain td { padding: 0.32rem 0; vertical-align: baseline; }
.symgrad .chain .left { width: 1%; white-space: nowrap; text-align: right; }
.symgrad .chain .relation { width: 1%; padding-left: 0.5em; padding-right: 0.5em; text-align: center; white-space: nowrap; }
.symgrad .chain .note { width: 28%; min-width: 9rem; padding-left: 1.6rem; color: var(--soft); font-size: 0.86em; line-height: 1.4;
  text-align: right; }
.symgrad .chain .note.none { width: 0; min-width: 0; padding: 0; }
.symgrad .stacked .left { white-space: normal; }

.symgrad .boxed { border: 1.5px solid var(--answer); border-radius: 6px; padding: 0.35rem 1.1rem; margin: 1.2rem 0; width: fit-content;
  max-width: 100%;
  background: color-mix(in srgb, var(--answer) 6%, transparent); }
.symgrad .boxed .chain { width: auto; }
.symgrad .boxed .chain td { width: auto; }
.symgrad .boxed .note { display: none; }

.symgrad .grid { margin: 0.9rem 0; min-width: 40%; font-size: 0.97em; }
.symgrad .grid caption { text-align: left; color: var(--soft); font-size: 0.9em; padding-bottom: 0.4rem; }
.symgrad .grid th { font: 600 0.74rem/1.3 system-ui, sans-serif; letter-spacing: 0.04em; color: var(--soft);
  padding: 0.35rem 1.4rem 0.45rem 0;
  border-bottom: 1.5px solid var(--line); white-space: nowrap; }
.symgrad .grid td { padding: 0.42rem 1.4rem 0.42rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
.symgrad .grid th:last-child, .symgrad .grid td:last-child { padding-right: 0.2rem; }
.symgrad .grid tr { background: none; }

.symgrad figure { margin: 1.4rem 0; text-align: center; }
.symgrad figure svg { max-width: 100%; height: auto; color: var(--ink); }
.symgrad figcaption { color: var(--soft); font-size: 0.9em; margin-top: 0.4rem; }

.symgrad .steps { list-style: none; margin: 1rem 0; padding: 0; }
.symgrad .step { position: relative; padding: 0.1rem 0 0.9rem 3rem; margin: 0; scroll-margin-top: 1rem; }
.symgrad .step::before { content: ""; position: absolute; left: 1.02rem; top: 2.3rem; bottom: 0.1rem; border-left: 1px solid var(--line); }
.symgrad .step:target > .title .number { outline: 2px solid var(--accent); outline-offset: 2px; }
.symgrad .title { display: flex; align-items: baseline; gap: 0.75rem; }
.symgrad .title .words { flex: 1 1 auto; min-width: 0; font-weight: 500; }
.symgrad .number { position: absolute; left: 0; top: 0.2rem; min-width: 2.1rem; padding: 0.28rem 0.4rem; border-radius: 1.1rem;
  background: var(--tint);
  border: 1px solid var(--line); color: var(--ink); font: 600 0.8rem/1 system-ui, sans-serif; text-align: center; text-decoration: none;
  font-variant-numeric: tabular-nums; }
.symgrad .number:hover, .symgrad .number:focus-visible { border-color: var(--accent); color: var(--accent); }
.symgrad .badge, .symgrad .mark { display: inline-block; border-radius: 999px; padding: 0.24em 0.7em;
  font: 600 0.7rem/1.1 system-ui, sans-serif;
  letter-spacing: 0.02em; white-space: nowrap; color: #fff; background: #6b5a91; }
.symgrad .mark { background: none; color: var(--accent); border: 1px solid currentColor; }
.symgrad .badge.proved { background: #1a7346; }
.symgrad .badge.tested { background: #8a6100; }
.symgrad .badge.given { background: #57606a; }
.symgrad .badge.refuted { background: #b3261e; }
.symgrad .badge.undecided { background: #6b5a91; }
.symgrad .verdict { margin: 0.35rem 0 0.2rem; line-height: 1.4; }
.symgrad .method { color: var(--soft); font: 0.8rem/1.4 system-ui, sans-serif; margin-left: 0.25rem; }
.symgrad details { margin: 0.5rem 0 0; }
.symgrad summary { cursor: pointer; color: var(--soft); font: 0.8rem/1.6 system-ui, sans-serif; width: fit-content; }
.symgrad summary:hover { color: var(--accent); }
.symgrad details > .steps { margin-top: 0.6rem; }
.symgrad details .step { padding-left: 3.4rem; font-size: 0.97em; }
.symgrad details .step::before { left: 1.3rem; }

@media (max-width: 40rem) {
  .symgrad { font-size: 1rem; }
  .symgrad .step, .symgrad details .step { padding-left: 0; }
  .symgrad .step::before { display: none; }
  .symgrad .number { position: static; flex: none; }
  .symgrad .chain, .symgrad .chain tbody { display: block; }
  .symgrad .chain tr { display: flex; flex-wrap: wrap; align-items: baseline; padding: 0.2rem 0; }
  .symgrad .chain td { padding: 0; width: auto; }
  .symgrad .chain .left:empty { display: none; }
  .symgrad .chain .left, .symgrad .chain .relation { flex: none; width: auto; max-width: 100%; }
  .symgrad .chain .right { flex: 1 1 60%; min-width: 0; }
  .symgrad .boxed .chain .right { flex: 1 1 auto; }
  .symgrad .chain .note { flex: 0 0 100%; width: auto; text-align: left; padding: 0 0 0.3rem; }
  .symgrad .chain .note.none { display: none; }
}
@media print {
  .symgrad .scroll { overflow: visible; }
  .symgrad .step > .title, .symgrad h2, .symgrad h3 { break-after: avoid; }
  .symgrad .chain tr, .symgrad .boxed, .symgrad figure, .symgrad .grid tr { break-inside: avoid; }
  .symgrad summary { list-style: none; }
  .symgrad details:not([open]) > *:not(summary) { display: block; }
  .symgrad details::details-content { display: block; content-visibility: visible; block-size: auto; opacity: 1; }
  .symgrad .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""

PAGE = """\
:root { color-scheme: light dark; }
body { margin: 0; background: #fbfbf9; }
.symgrad { margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 3rem) 4rem; }
@media (prefers-color-scheme: dark) {
  body { background: #14161a; }
  .symgrad {
    --ink: #e3e5e8; --soft: #a3a9b3; --line: #363b44; --tint: #1d2127; --accent: #8ab4f8; --answer: #8ab4f8; --paper: #14161a;
  }
}
@page { margin: 18mm 16mm; }
@media print {
  body { background: #fff; }
  .symgrad {
    --ink: #000; --soft: #444; --line: #bbb; --tint: #f4f4f2; --accent: #1f4e9c; --answer: #1f4e9c; --paper: #fff;
    max-width: none; padding: 0; font-size: 10.5pt;
  }
}
"""
