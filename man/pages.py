#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the manual pages of section 3 from the comments of liblog/log.h.

    pages.py --list HEADER...              the names of the pages
    pages.py HEADER... EXAMPLE DIRECTORY   writes them

log.h comes first, then those that are a part of it. They are the one source:
what a function does, takes and returns is said there, once. What this program
does not understand of it ends the build.
"""

import re
import sys
from pathlib import Path

DATE = "November 21, 2026"

GROUP = re.compile(r"^/\* -{4} (.*?) -{4,} \*/$", re.M)
FUNCTION = re.compile(
    r"^/\*\*(?P<comment>(?:(?!\*/).)*?)\*/\n"
    r"(?P<type>\w[\w \n]*[ *])(?P<name>maplog_\w+)\((?P<args>[^;{]*?)\);",
    re.M | re.S)
DECLARED = re.compile(r"^\w[\w ]*[ *](maplog_\w+)\([^;{]*?\);", re.M)
TYPE = re.compile(
    r"(?:^/\*(?:(?!\*/).)*?\*/\n)?^(?:struct|enum) (?P<name>maplog_\w+)"
    r" \{\n.*?^\};", re.M | re.S)

# What has a macro of its own in a text, with what opens and closes around it.
MARKUP = re.compile(r"""
    (?P<open>[(]?)
    (?: @(?P<argument>\w+)
      | (?P<call>maplog_\w+)\(\)
      | (?P<manual>\w+)\((?P<section>[1-8])\)
      | `(?P<literal>[^`]+)`
      | -(?P<error>E[A-Z0-9]+)\b )
    (?P<close>[.,;:)]*)(?=\s|$)""", re.X)

NAMES = re.compile(r"-E[A-Z0-9]+(?:(?:,| and| or) -E[A-Z0-9]+)*")
ELSEWHERE = re.compile(r"as ((?:maplog_\w+\(\)(?: and )?)+)")


class Wrong(Exception):
    """The headers are not as this program knows them."""


def unstar(comment):
    """The text of a comment, without what makes it one."""
    return re.sub(r"^ ?\*(?: |$)", "", comment.strip(" "), flags=re.M)


def paragraphs(text):
    return [part.strip("\n") for part in re.split(r"\n\s*\n", text)
            if part.strip()]


def sentence(text):
    return text[0].upper() + text[1:] + "."


def escape(text):
    return re.sub(r"^([.'])", r"\\&\1", text.replace("\\", r"\e"))


def macro(match, own):
    if match["argument"]:
        return f"Fa {match['argument']}"
    if match["call"] == own:
        return f"Fn {own}"
    if match["call"]:
        return f"Xr {match['call']} 3"
    if match["manual"]:
        return f"Xr {match['manual']} {match['section']}"
    if match["literal"]:
        return f"Ql {match['literal']}"
    return rf"Er \-{match['error']}"


def prose(text, own=""):
    """Text as mdoc, with macros for what they are there for."""
    lines, at = [], 0
    text = " ".join(text.split())

    def plain(part):
        if "@" in part or "`" in part:
            raise Wrong(f"{own}: not understood: {part.strip()}")
        # The space behind a sentence is right when it ends its line.
        for line in re.sub(r"(?<=\w\w[.]) (?=[A-Z])", "\n",
                           part.strip()).split("\n"):
            if line:
                lines.append(escape(line))

    for match in MARKUP.finditer(text):
        plain(text[at:match.start()])
        at = match.end()
        word, close = macro(match, own), match["close"]
        if match["open"]:
            if not close.startswith(")"):
                raise Wrong(f"{own}: not understood: {match[0]}")
            word, close = f"Pq {word}", close[1:]
        lines.append(" ".join(["." + word, *close]))
    plain(text[at:])
    return "\n".join(lines)


class Function:
    """A function, as its comment has it."""

    def __init__(self, match, group, header):
        self.name = match["name"]
        self.group = group
        self.header = header
        self.type = " ".join(match["type"].split())
        self.type = self.type.removeprefix("static inline ")
        self.args = [" ".join(arg.split())
                     for arg in re.split(r",(?![^(]*\))", match["args"])]
        parts = paragraphs(unstar(match["comment"]))
        first, *arguments = parts.pop(0).lstrip().split("\n")
        head = re.fullmatch(rf"{self.name}\(\) - (.+)", first.strip())
        if not head:
            raise Wrong(f"{self.name}: its comment begins with another name")
        self.summary = head[1]
        self.arguments = self.read_arguments(arguments)
        self.returns = None
        if parts and parts[-1].startswith("Return: "):
            self.returns = " ".join(parts.pop()[8:].split()).rstrip(".")
        if (self.returns is None) != (self.type == "void"):
            raise Wrong(f"{self.name}: says not, or needlessly, what it "
                        "returns")
        self.text = parts

    def read_arguments(self, lines):
        found = []
        for line in lines:
            match = re.fullmatch(r"@(\w+): *(.*)", line)
            if match:
                found.append([match[1], match[2]])
            elif found and line.startswith(" "):
                found[-1][1] += " " + line.strip()
            else:
                raise Wrong(f"{self.name}: not understood: {line}")
        for name, _ in found:
            # Last, or what points to a function.
            if not any(re.search(rf"\b{name}(?:$|\)\()", arg)
                       for arg in self.args):
                raise Wrong(f"{self.name}: has no argument {name}")
        return found

    def errors(self, pages):
        """[(name, when)]; what others return that this one returns, too."""
        found = {}
        for clause in (self.returns or "").split("; "):
            for part in re.split(r", (?=-E[A-Z]+ if )", clause):
                self.read_clause(part, pages, found)
        return sorted(found.items())

    def read_clause(self, clause, pages, found):
        names = NAMES.match(clause)
        other = ELSEWHERE.search(clause)
        if names:
            when = clause[names.end():].strip(" ,") or None
            for name in re.findall(r"E[A-Z0-9]+", names[0]):
                found[name] = when or pages.meaning(name, self.name)
        elif other and not other.start() or \
                other and clause.startswith("else "):
            for name in re.findall(r"maplog_\w+", other[1]):
                for error, when in pages.function(name).errors(pages):
                    found.setdefault(error, when)
        elif clause.startswith("else "):
            for name in re.findall(r"-(E[A-Z0-9]+)", clause):
                found[name] = pages.meaning(name, self.name)
        elif NAMES.search(clause):
            raise Wrong(f"{self.name}: not understood: {clause}")


class Pages:
    """The headers as a whole, and the page of each of their functions."""

    def __init__(self, headers):
        first = headers[0].read_text(encoding="utf-8")
        self.intro = self.opening(first)
        self.types = {}
        self.functions = []
        for path in headers:
            text = path.read_text(encoding="utf-8")
            part = f'#include "{path.name}"' in first
            self.read(text, headers[0].name if part else path.name)

    @staticmethod
    def opening(text):
        """What a header says of itself."""
        return paragraphs(unstar(re.search(
            r"^/\*(?! SPDX)\s(.*?)\*/", text, re.M | re.S)[1]))

    def read(self, text, header):
        self.types |= {match["name"]: match[0].expandtabs(8)
                       for match in TYPE.finditer(text)}
        groups = [(0, self.opening(text)[0].split(":")[0])]
        groups += [(match.start(), match[1].split(" (")[0])
                   for match in GROUP.finditer(text)]
        found = [Function(match, max(group for group in groups
                                     if group[0] < match.start())[1], header)
                 for match in FUNCTION.finditer(text)]
        missing = set(DECLARED.findall(text)) - {f.name for f in found}
        if missing:
            raise Wrong(f"without a comment: {', '.join(sorted(missing))}")
        self.functions += found

    def function(self, name):
        return next(f for f in self.functions if f.name == name)

    def meaning(self, error, user):
        """What an error means where a function says no more of it."""
        for text in self.intro:
            match = re.search(rf"-{error}, ([^;.]+)[;.]",
                              " ".join(text.split()))
            if text.startswith("Errors.") and match:
                return match[1]
        raise Wrong(f"{user}: does not say when it returns -{error}")

    def names(self):
        return ["libmaplog.3"] + [f"{f.name}.3" for f in self.functions]

    @staticmethod
    def top(title, summary, header):
        return [r'.\" SPDX-License-Identifier: MIT',
                r'.\" Written by man/pages.py from liblog/log.h.',
                f".Dd {DATE}", f".Dt {title.upper()} 3", ".Os", ".Sh NAME",
                f".Nm {title}", f".Nd {summary}", ".Sh LIBRARY",
                r"Append-only logs (libmaplog, \-lmaplog)", ".Sh SYNOPSIS",
                f".In maplog/{header}"]

    def overview(self, example):
        first = " ".join(self.intro[0].split())
        lines = self.top("libmaplog", first.split(": ", 1)[1].rstrip("."),
                         "log.h")
        lines += [".Pp", r".Li cc program.c $(pkg-config \-\-cflags \-\-libs"
                  " libmaplog)", ".Sh DESCRIPTION",
                  "What every function of the library keeps to:"]
        for text in self.intro[1:]:
            title, rest = text.split(". ", 1)
            lines += [f".Ss {title}", prose(rest)]
        group = None
        for function in self.functions:
            if function.group != group:
                lines += [".El"] if group else []
                group = function.group
                lines += [f".Ss {group}", ".Bl -tag -width Ds -compact"]
            lines += [f".It Xr {function.name} 3", prose(function.summary)]
        lines += [".El", ".Sh EXAMPLES",
                  "Makes a log, appends to it and reads it again:",
                  ".Bd -literal", self.literal(example), ".Ed",
                  ".Sh SEE ALSO", ".Xr maplog 1 ,", ".Xr maplog-format 5 ,",
                  ".Xr maplogfs 8"]
        return "\n".join(lines) + "\n"

    @staticmethod
    def literal(text):
        return "\n".join(
            escape(line.expandtabs(8)).replace("-", r"\-")
            for line in text.strip("\n").split("\n"))

    def page(self, function):
        lines = self.top(function.name, function.summary, function.header)
        lines += [f".Ft {function.type}", f".Fo {function.name}"]
        lines += [f'.Fa "{arg}"' for arg in function.args]
        lines += [".Fc"] + self.description(function)
        lines += self.data_types(function) + self.outcome(function)
        return "\n".join(lines + self.see_also(function)) + "\n"

    @staticmethod
    def description(function):
        lines = [".Sh DESCRIPTION",
                 prose(sentence(function.summary), function.name)]
        if function.arguments:
            lines.append(".Bl -tag -width Ds")
            for name, text in function.arguments:
                lines += [f".It Fa {name}", prose(text, function.name)]
            lines.append(".El")
        for text in function.text:
            lines += [".Pp", prose(text, function.name)]
        return lines

    def data_types(self, function):
        used = [name for name in self.types
                if re.search(rf"\b{name}\b", " ".join(function.args))]
        for name in used:
            used += [other for other in self.types if other not in used
                     and re.search(rf"\b{other} ", self.types[name])]
        lines = [".Sh DATA TYPES"] if used else []
        for name in used:
            lines += [".Bd -literal", self.literal(self.types[name]), ".Ed"]
        return lines

    def outcome(self, function):
        lines = [".Sh RETURN VALUES"]
        if function.returns is None:
            return lines + [".Fn " + function.name, "returns nothing.",
                            ".Sh ERRORS", "None: it cannot fail."]
        lines.append(prose(sentence(function.returns), function.name))
        lines.append(".Sh ERRORS")
        errors = function.errors(self)
        if not errors and "errno" not in function.returns:
            return lines + ["None: it cannot fail."]
        if not errors:
            return lines + ["Those of the system calls that it makes."]
        lines.append(".Bl -tag -width Er")
        for name, when in errors:
            lines += [rf".It Bq Er \-{name}", prose(when, function.name)]
        lines.append(".El")
        other = re.search(r"; else (an? -errno.*)", function.returns)
        if other:
            lines += [".Pp", prose(f"Any other is {other[1]}.")]
        return lines

    def see_also(self, function):
        names = sorted(f.name for f in self.functions
                       if f.group == function.group and f is not function)
        lines = [".Sh SEE ALSO", ".Xr libmaplog 3"]
        for name in names:
            lines[-1] += " ,"
            lines.append(f".Xr {name} 3")
        return lines


def main():
    listing = sys.argv[1:2] == ["--list"]
    headers = sys.argv[2:] if listing else sys.argv[1:-2]
    try:
        pages = Pages([Path(name) for name in headers])
        if listing:
            print("\n".join(pages.names()))
            return
        example = Path(sys.argv[-2]).read_text(encoding="utf-8")
        to = Path(sys.argv[-1])
        (to / "libmaplog.3").write_text(pages.overview(example))
        for function in pages.functions:
            (to / f"{function.name}.3").write_text(pages.page(function))
    except Wrong as wrong:
        sys.exit(f"{headers[0]}: {wrong}")


main()
