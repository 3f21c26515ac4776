# SPDX-License-Identifier: MIT
"""The main job: a million lines go in, and come out as they were."""

import itertools
import os
import random

import mounted

LINES = 1000000
WORDS = ("order", "payment", "refused", "accepted", "customer", "from",
         "the queue", "after", "retry", "timeout", "status=200", "status=500",
         "GET", "/api/v1/items", "took", "ms", "user", "shipped", "warehouse",
         "and", "signed", "no stock", "returned", "to", "again", "é", "\t")


def write_text(path):
    """100 MB and more, with lines of every length."""
    rng = random.Random(23)
    tails = [" ".join(rng.choices(WORDS, k=rng.randrange(32)))
             for _ in range(5000)] + ["", "x" * 70000]
    picks = itertools.islice(itertools.cycle(rng.sample(
        range(len(tails) - 1), 4999)), LINES)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{i} {tails[pick]}\n" if i % 300000 else
                        f"{i}{tails[-1]}\n" if i else "\n"
                        for i, pick in enumerate(picks))
    return os.path.getsize(path)


class Million(mounted.MountCase):
    """With the options that a log has when nobody says anything."""

    options = "segment-size=32M"

    def setUp(self):
        super().setUp()
        self.make()
        self.text = os.path.join(self.work, "text")
        self.assertGreater(write_text(self.text), 100 << 20)
        self.sh('cat "$1" > l/append', self.text)

    def same(self, script, *arguments):
        """What a script prints of the mount, and another of the file."""
        of_mount, of_file = script.split(" == ")
        self.assertEqual(self.sh(of_mount, *arguments),
                         self.sh(of_file, *arguments), script)

    def test_a_million_lines(self):
        self.assertEqual(self.counters(), (0, LINES))
        self.assertEqual(self.status()["durable"], str(LINES))
        self.sh('cat l/segments/*.log | cmp - "$1"', self.text)
        self.sh('cmp l/ranges/0- "$1"', self.text)
        self.check_entries()
        self.check_ranges()
        for script in ('cat l/segments/*.log | wc == cat "$1" | wc',
                       'grep -c refused l/ranges/0- == grep -c refused "$1"',
                       'grep -h "^9.*again" l/segments/*.log == '
                       'grep "^9.*again" "$1"',
                       'tail -c 1000000 l/ranges/0- == tail -c 1000000 "$1"',
                       'tail -n 12345 l/ranges/0- == tail -n 12345 "$1"'):
            self.same(script, self.text)
        self.assertEqual(self.control("verify"), f"ok entries={LINES}")
        self.restart()
        self.assertEqual(self.counters(), (0, LINES))
        self.assertNotIn("recovered", self.status())
        self.check_entries()

    def check_entries(self):
        with open(self.text, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        rng = random.Random(24)
        # The last of them, and those of more than a page.
        for i in [0, 300000, 600000, 900000, LINES - 1] + [
                rng.randrange(LINES) for _ in range(1000)]:
            self.assertEqual(self.entry(i), lines[i], i)

    def check_ranges(self):
        rng = random.Random(25)
        for size in (1, 10, 1000, 30000, 600000):
            for _ in range(3):
                first = rng.randrange(LINES - size + 1)
                last = first + size - 1
                self.same('cat "l/ranges/$2-$3" == '
                          'sed -n "$(($2 + 1)),$(($3 + 1))p;$(($3 + 1))q" "$1"',
                          self.text, str(first), str(last))


if __name__ == "__main__":
    mounted.main()
