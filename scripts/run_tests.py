# SPDX-License-Identifier: MIT
"""What scripts/test runs, once all that it needs is installed."""

import json
import os
import re
import subprocess
import sys
import time

# name: (compiler, options of meson). Each has its directory, build-NAME.
BUILDS = {
    "build": ("gcc", ["-Dbuildtype=release"]),
    "build-clang": ("clang", ["-Dbuildtype=release"]),
    "build-asan": ("clang", ["-Dbuildtype=debugoptimized",
                             "-Db_sanitize=address,undefined",
                             "-Db_lundef=false"]),
    "build-tsan": ("gcc", ["-Dbuildtype=debugoptimized",
                           "-Db_sanitize=thread"]),
}

SANITIZERS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:abort_on_error=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    # At its end a program sleeps for a second by default. A writer that is to
    # end as if killed would go on for so long, and make a checkpoint.
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:"
                    "atexit_sleep_ms=20",
    # Races of the mount tests last so long; it is the errors that count here.
    "MAPLOG_SECONDS": "2",
}

# A test that hangs is the exception, one on a slow or busy machine is not.
MACHINE = 3

PASSED = ("OK", "EXPECTEDFAIL")

# So much is shown of what failed, and again at the end: that is all that is
# left where only the last lines of a run are kept.
LAST_LINES = 60


class Run:
    """What ran so far, and how it went."""

    def __init__(self):
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.lines = []
        self.skips = []
        self.failures = []

    def note(self, name, passed=0, failed=0, skipped=0, since=0.0):
        for kind, n in (("passed", passed), ("failed", failed),
                        ("skipped", skipped)):
            self.counts[kind] += n
        outcome = "FAILED" if failed else "ok" if passed else "SKIPPED"
        numbers = f"{passed:4} passed {failed:4} failed {skipped:4} skipped"
        self.lines.append(f"{name:28} {numbers} {time.time() - since:6.0f} s"
                          f"  {outcome}")

    def note_failure(self, name, text):
        lines = text.splitlines()[-LAST_LINES:]
        self.failures += [f"\n==== failed: {name}", *lines]

    def note_skips(self, text):
        for line in re.findall(r"SKIP:.*", text):
            if line not in self.skips:
                self.skips.append(line)

    def note_result(self, name, result):
        said = result.get("stdout", "") + result.get("stderr", "")
        self.note_skips(said)
        if result["result"] == "SKIP":
            if "SKIP:" not in said:
                self.note_skips(f"SKIP: {result['name']}")
        elif result["result"] not in PASSED:
            self.note_failure(f"{name}: {result['name']}", said)

    def step(self, name, command, quiet=False, **environment):
        """One command: shown as it goes, or quiet until it fails."""
        since = time.time()
        print(f"==== {name}", flush=True)
        with subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace",
                env={**os.environ, **environment}) as process:
            said = []
            for line in process.stdout:
                said.append(line)
                if not quiet:
                    print(line, end="", flush=True)
        good = process.returncode == 0
        if quiet:
            print("".join(said[-1 if good else -LAST_LINES:]), end="",
                  flush=True)
        self.note_skips("".join(said))
        if not good:
            self.note_failure(name, "".join(said))
        return good, since

    def check(self, name, command):
        good, since = self.step(name, command)
        self.note(name, passed=good, failed=not good, since=since)

    def build(self, folder):
        """Configures where the options are new, then builds."""
        compiler, options = BUILDS[folder]
        wanted = " ".join([compiler, *options])
        record = os.path.join(folder, ".scripts-test")
        good, since = True, time.time()
        if read(record) != wanted or not there(folder, "build.ninja"):
            again = ["--reconfigure"] if there(folder, "build.ninja") else \
                ["--wipe"] if there(folder, "meson-private") else []
            good, since = self.step(
                f"{folder}: set up with {wanted}",
                ["meson", "setup", *again, folder, "-Dwerror=true", *options],
                quiet=True, CC=compiler)
        if good:
            with open(record, "w", encoding="ascii") as file:
                file.write(wanted)
            good, _ = self.step(f"{folder}: build", ["ninja", "-C", folder],
                                quiet=True)
        self.note(folder, passed=good, failed=not good, since=since)
        return good

    def tests(self, name, folder, suites, slower=1, without=()):
        """Tests of a build, counted one by one as meson has logged them."""
        since = time.time()
        log = os.path.join(folder, "meson-logs", f"{name}.json")
        if os.path.exists(log):
            os.unlink(log)
        print(f"==== {name}: {', '.join(suites)} in {folder}", flush=True)
        command = ["meson", "test", "-C", folder, "--no-rebuild",
                   "--print-errorlogs", "--logbase", name,
                   "-t", str(MACHINE * slower)]
        for suite in suites:
            command += ["--suite", f"maplog:{suite}"]
        for suite in without:
            command += ["--no-suite", f"maplog:{suite}"]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, check=False,
            env={**os.environ, **(SANITIZERS if slower > 1 else {})})
        results = [json.loads(line) for line in read(log).splitlines()]
        passed = sum(result["result"] in PASSED for result in results)
        skipped = sum(result["result"] == "SKIP" for result in results)
        failed = len(results) - passed - skipped
        if not failed and (done.returncode or not results):
            print(f"{name}: no test ran", flush=True)
            failed = 1
        for result in results:
            self.note_result(name, result)
        self.note(name, passed, failed, skipped, since)

    def close(self, since):
        if self.failures:
            print("\n".join(self.failures))
        print("\n==== summary")
        print("\n".join(self.lines + self.skips))
        print(f"{time.time() - since:.0f} s in all")
        print(", ".join(f"{n} {kind}" for kind, n in self.counts.items()))
        sys.exit(1 if self.counts["failed"] else 0)


def there(*path):
    return os.path.exists(os.path.join(*path))


def read(path):
    if not there(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def main():
    since = time.time()
    run = Run()
    if "--quick" in sys.argv:
        if run.build("build"):
            run.tests("unit", "build", ["unit", "cli"])
        run.close(since)

    built = {folder: run.build(folder) for folder in BUILDS}
    run.check("check-layers", ["scripts/check-layers"] +
              (["build"] if built["build"] else []))
    run.check("check-budget", ["scripts/check-budget"])
    run.check("check-format", ["scripts/check-format"])
    run.check("check-errnos", ["scripts/check-errnos"])
    if built["build"]:
        run.tests("unit", "build", ["unit", "cli", "scripts", "install"])
    if built["build-asan"]:
        run.tests("asan", "build-asan", ["unit"], slower=4)
    if built["build-tsan"]:
        run.tests("tsan", "build-tsan", ["unit"], slower=10,
                  without=["states"])
    if built["build"]:
        run.tests("mount", "build", ["mount"])
        run.tests("examples", "build", ["examples"])
    if built["build-asan"]:
        run.tests("mount-asan", "build-asan", ["mount"], slower=4)
    run.check("check-bugs", ["scripts/check-bugs"])
    run.check("fuzz", ["scripts/fuzz", "--seconds", "15"])
    if built["build"]:
        run.check("filesystems", ["scripts/test-filesystems", "--short"])
        run.check("disks", ["scripts/test-disks", "--short"])
    run.check("bench", ["scripts/bench", "--quick", "--no-install"])
    run.close(since)


main()
