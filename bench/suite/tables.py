# SPDX-License-Identifier: MIT
"""Figures as Markdown, and where a document has room for them."""

import re

import goals
import quote

# Parts of a document that are made here: everything between these two.
PART = re.compile(r"(<!-- bench: (?P<name>[^\n]*?) -->\n).*?"
                  r"(<!-- bench: end -->)", re.DOTALL)


def number(value):
    """Three digits, or all of those before the point."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def cell(figures, *key):
    spread = figures.spread(*key)
    if not spread:
        return "–"
    middle, low, high = map(number, spread)
    return f"{middle} ({low}–{high})"


def by_case(figures, section, metric):
    """One metric: a line a row, a column a case."""
    cases = figures.cases(section)
    unit = next((unit for key, unit in figures.units.items()
                 if key[0] == section and key[3] == metric), "")
    lines = [f"| {metric}, {unit} | " + " | ".join(cases) + " |",
             "|---" * (len(cases) + 1) + "|"]
    for row in figures.rows(section):
        cells = [cell(figures, section, row, case, metric) for case in cases]
        if any(text != "–" for text in cells):
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def by_metric(figures, section, case):
    """One case: a line a row, a column a metric."""
    keys = [key for key in figures.values
            if key[0] == section and key[2] == case
            and not key[3].startswith("at:")]
    metrics = list(dict.fromkeys(key[3] for key in keys))
    units = {key[3]: figures.units[key] for key in keys}
    lines = [f"| {case or section} | "
             + " | ".join(f"{name}, {units[name]}" for name in metrics)
             + " |", "|---" * (len(metrics) + 1) + "|"]
    for row in dict.fromkeys(key[1] for key in keys):
        lines.append(f"| {row} | " + " | ".join(
            cell(figures, section, row, case, name) for name in metrics)
            + " |")
    return "\n".join(lines)


def by_section(figures, section):
    """Everything of a section: a line a case and row, a column a metric."""
    keys = [key for key in figures.values if key[0] == section
            and not key[3].startswith("at:")]
    metrics = list(dict.fromkeys(key[3] for key in keys))
    units = {key[3]: figures.units[key] for key in keys}
    lines = ["| case | row | " + " | ".join(
        f"{name}, {units[name]}" for name in metrics) + " |",
        "|---" * (len(metrics) + 2) + "|"]
    for case in figures.cases(section):
        for row in dict.fromkeys(key[1] for key in keys if key[2] == case):
            lines.append(f"| {case} | {row} | " + " | ".join(
                cell(figures, section, row, case, name)
                for name in metrics) + " |")
    return "\n".join(lines)


NOTHING = "Not measured in the last run."


def part(figures, machine, name, folder=None):
    """What a part of a document is called is what it shows."""
    kind, *rest = [text.strip() for text in name.split(";")]
    if kind == "goals":
        return goals.table(figures)
    if kind == "plot":
        name, title = rest
        return f"![{title}](performance/{name}.svg)" \
            if (folder / f"{name}.svg").exists() else NOTHING
    if kind not in ("goals", "machine", "quote") and \
            not figures.rows(rest[0]):
        return NOTHING
    if kind == "quote":
        return quote.lines(figures)
    if kind == "machine":
        return "\n".join(["| | |", "|---|---|"] + [
            f"| {what} | {value} |" for what, value in machine])
    if kind == "cases":
        return by_case(figures, *rest)
    if kind == "metrics":
        return by_metric(figures, *rest)
    if kind == "section":
        return by_section(figures, *rest)
    raise ValueError(f"no part of a document is called {name}")


def fill(text, figures, machine, folder):
    """A document with its parts made anew; plots are in a folder."""
    def replace(match):
        made = part(figures, machine, match["name"], folder)
        return f"{match[1]}\n{made}\n\n{match[3]}"
    return PART.sub(replace, text)


def everything(figures, machine):
    """A document of nothing but tables."""
    parts = ["# Figures of scripts/bench", part(figures, machine, "machine"),
             "## Goals", part(figures, machine, "goals")]
    for section in dict.fromkeys(key[0] for key in figures.values):
        parts += [f"## {section}", by_section(figures, section)]
    return "\n\n".join(parts) + "\n"
