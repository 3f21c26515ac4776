#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real shells find the completions that are installed, and use them."""

import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MAPLOG_BUILD", ROOT / "build"))
PATIENCE = 60
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"

# What is typed before the tabulator, and the line behind it.
LINES = {
    "maplog vers": "maplog vers",
    "maplog veri": "maplog verify ",
    "maplog help trunc": "maplog help truncate ",
    "maplog completion z": "maplog completion zsh ",
    "maplog append --verb": "maplog append --verbose ",
    "maplog dump --as h": "maplog dump --as hex ",
    "maplog dump --as=h": "maplog dump --as=hex ",
    "maplog status st": "maplog status store/",
    "maplog set store retain-u": "maplog set store retain-unread ",
    "maplog create --option seg": "maplog create --option segment-size=",
}


class Terminal:
    """A shell on a terminal, to which keys are typed."""

    def __init__(self, *command, **options):
        master, slave = pty.openpty()
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, **options)
        os.close(slave)
        self.fd = master
        self.seen = ""

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def wait_for(self, pattern):
        """What a pattern matches in what has not been looked at yet."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise TimeoutError(f"no {pattern} in {self.seen!r}")
            self.seen += os.read(self.fd, 65536).decode(errors="replace")
        self.seen = self.seen[found.end():]
        return found[1]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


class Completion(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.work = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.work)
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild",
                        "--skip-subprojects", "--destdir", cls.work / "dest"],
                       check=True, capture_output=True)
        cls.prefix = next((cls.work / "dest").rglob("bin")).parent
        (cls.work / "home/store").mkdir(parents=True)

    def environment(self):
        return {"PATH": f"{self.prefix}/bin:{os.environ['PATH']}",
                "HOME": str(self.work / "home"), "TERM": "dumb",
                "LC_ALL": "C.UTF-8",
                "XDG_DATA_DIRS": f"{self.prefix}/share"}

    def terminal(self, shell, *arguments, first):
        """A shell of this user who has done what everybody has in the
        file of commands that it reads first; ^X prints the line."""
        if not shutil.which(shell):
            self.skipTest(f"SKIP: completion.py: there is no {shell}")
        terminal = Terminal(shell, *arguments, cwd=self.work / "home",
                            env=self.environment())
        self.addCleanup(terminal.close)
        terminal.type(f"{first}; echo rea''dy\n")
        terminal.wait_for("(ready)")
        return terminal

    def complete_all(self, terminal):
        for typed, wanted in LINES.items():
            with self.subTest(typed):
                terminal.type(f"\x15{typed}\t\x18")
                self.assertEqual(terminal.wait_for("<<(.*?)>>"), wanted)

    def test_bash(self):
        if not os.path.exists(BASH_COMPLETION):
            self.skipTest("SKIP: completion.py: there is no bash-completion")
        self.complete_all(self.terminal(
            "bash", "--norc", "--noprofile", first=f". {BASH_COMPLETION}; "
            "show() { printf '<''<%s>>' \"$READLINE_LINE\"; }; "
            "bind -x '\"\\C-x\": show'; bind 'set bell-style none'"))

    def test_zsh(self):
        self.complete_all(self.terminal(
            "zsh", "-f", first=f"fpath=({self.prefix}/share/zsh/site-functions "
            "$fpath); autoload -Uz compinit; compinit -D -u; "
            "show() { print -rn -- '<''<'$BUFFER'>>' }; zle -N show; "
            "bindkey -e; bindkey '^X' show; unsetopt beep"))

    def test_zsh_by_eval(self):
        self.complete_all(self.terminal(
            "zsh", "-f", first="eval \"$(maplog completion zsh)\"; "
            "show() { print -rn -- '<''<'$BUFFER'>>' }; zle -N show; "
            "bindkey -e; bindkey '^X' show; unsetopt beep"))

    def test_fish(self):
        if not shutil.which("fish"):
            self.skipTest("SKIP: completion.py: there is no fish")
        for typed, wanted in LINES.items():
            with self.subTest(typed):
                said = subprocess.run(
                    ["fish", "-c", 'complete -C "$argv"', typed], check=True,
                    text=True, capture_output=True, cwd=self.work / "home",
                    env=self.environment()).stdout
                found = [line.split("\t")[0] for line in said.splitlines()]
                if typed == wanted:
                    self.assertEqual(found, [])
                else:
                    self.assertIn(wanted.rstrip(" =").split(" ")[-1], found)


if __name__ == "__main__":
    unittest.main()
