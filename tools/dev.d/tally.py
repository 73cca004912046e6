#!/usr/bin/env python3
"""Counts what ctest ran: tally.py JUNIT GTEST_DIR [JUNIT GTEST_DIR ...].

A gtest binary is one ctest entry; its own XML report says how many cases are inside, and each is counted. A binary
that left no report, or that failed although every case in it passed (a crash at exit, a sanitizer's finding), counts
as one more, and so does each file in `reports` beside JUNIT: what a sanitizer said in a process of a test. Prints failed and skipped checks by name and, last, `N passed, N failed, N skipped`. What a run without
Redis leaves out because it is about Redis itself (POTOK_ABOUT_REDIS) is listed apart and is no skip.
Exit status: 1 when something failed, or when nothing ran at all.
"""
import pathlib
import sys
import xml.etree.ElementTree as ET

passed = 0
failed, skipped, about_redis = [], [], []
ABOUT_REDIS = "about Redis itself"


def why(text, limit=2000):
    return (text or "").strip()[-limit:]


def count_gtest(name, report):
    """Returns (cases, failures) of one gtest report and adds them to the totals."""
    global passed
    cases = failures = 0
    for case in ET.parse(report).getroot().iter("testcase"):
        cases += 1
        full = f"{name}: {case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None:
            failures += 1
            failed.append((full, why(case.find("failure").get("message") or case.find("failure").text)))
        elif case.get("result") == "skipped" or case.find("skipped") is not None:
            note = case.find("skipped")
            reason = "".join(why(note.get("message") if note is not None else "", 200).splitlines()[-1:])
            if reason == ABOUT_REDIS:
                about_redis.append(full)
            else:
                skipped.append((full, reason))
        elif case.get("status") == "notrun":  # disabled
            skipped.append((full, "disabled"))
        else:
            passed += 1
    return cases, failures


def count(junit, gtest_dir):
    global passed
    for test in ET.parse(junit).getroot().iter("testcase"):
        name, status = test.get("name"), test.get("status")
        output = why(test.findtext("system-out"))
        report = pathlib.Path(gtest_dir, name + ".xml")
        if status in ("notrun", "disabled") and test.find("skipped") is not None and not report.exists():
            first = [line for line in output.splitlines() if line.startswith("SKIPPED")]
            note = first[0] if first else (test.find("skipped").get("message") or "")
            # ctest calls a test whose program is missing "not run" too; that is no skip.
            if "SKIP" in note:
                skipped.append((name, note))
            else:
                failed.append((name, note or "could not be run"))
            continue
        cases = failures = 0
        if report.exists():
            try:
                cases, failures = count_gtest(name, report)
            except ET.ParseError:
                pass
        if status == "fail" and failures == 0:
            failed.append((name, output))
        elif status == "run" and cases == 0:
            passed += 1


def main(arguments):
    for junit, gtest_dir in zip(arguments[::2], arguments[1::2]):
        if pathlib.Path(junit).exists():
            count(junit, gtest_dir)
        else:
            failed.append((junit, "ctest left no report"))
        for report in sorted(pathlib.Path(junit).parent.glob("reports/*")):
            # Beginning first: what follows the stack of the first report is seldom news.
            said = report.read_text(errors="replace").strip().splitlines()
            failed.append((f"a process that {report} tells of", "\n".join(said[:25])))
    for name, text in failed:
        print(f"\nFAILED {name}\n" + "\n".join("    " + line for line in text.splitlines()[-25:]))
    if about_redis:
        print(f"\nNot part of a run without Redis, being about Redis itself ({len(about_redis)}):")
        for name in about_redis:
            print(f"  {name}")
    if skipped:
        print("\nSkipped:")
        for name, text in skipped:
            print(f"  {name}  {''.join(text)}")
    print(f"\n{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
