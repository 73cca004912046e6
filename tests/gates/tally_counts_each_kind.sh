#!/usr/bin/env bash
# The last line of tools/dev test counts cases and not programs, a crash as a failure, and never a skip as a pass.
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need python3 /usr/bin/python3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/gtest" "$scratch/reports"
echo 'WARNING: ThreadSanitizer: data race' >"$scratch/reports/tsan.4711"
# What ctest 3.25 writes: a program with cases inside, one that crashed, a gate of each outcome, a program that is missing.
cat >"$scratch/junit.xml" <<'END'
<testsuite name="x" tests="6">
  <testcase name="flow_test" status="fail"><failure message=""/><system-out>one case failed</system-out></testcase>
  <testcase name="crash_test" status="fail"><failure message=""/><system-out>[ RUN ] B.Crash</system-out></testcase>
  <testcase name="leak_test" status="fail"><failure message=""/><system-out>LeakSanitizer</system-out></testcase>
  <testcase name="gate_ok" status="run"/>
  <testcase name="gate_skipped" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>SKIPPED: no tool</system-out></testcase>
  <testcase name="gone_test" status="notrun"><skipped message="Unable to find executable"/></testcase>
</testsuite>
END
cat >"$scratch/gtest/flow_test.xml" <<'END'
<testsuites><testsuite name="Flow">
  <testcase name="Ok" status="run" result="completed" classname="Flow"/>
  <testcase name="OkToo" status="run" result="completed" classname="Flow"/>
  <testcase name="Bad" status="run" result="completed" classname="Flow"><failure message="1 is not 2"/></testcase>
  <testcase name="Skipped" status="run" result="skipped" classname="Flow"><skipped message="a.cc:3&#x0A;no redis"/></testcase>
  <testcase name="Flushed" status="run" result="skipped" classname="Flow"><skipped message="a.cc:9&#x0A;about Redis itself"/></testcase>
  <testcase name="Off" status="notrun" result="suppressed" classname="Flow"/>
</testsuite></testsuites>
END
cat >"$scratch/gtest/leak_test.xml" <<'END'
<testsuites><testsuite name="Leak"><testcase name="Ok" status="run" result="completed" classname="Leak"/></testsuite></testsuites>
END
if "${tool[python3]}" tools/dev.d/tally.py "$scratch/junit.xml" "$scratch/gtest" >"$scratch/out"; then broken "failures ended with status 0"; fi
last=$(tail -n 1 "$scratch/out")
[ "$last" = '4 passed, 5 failed, 3 skipped' ] || broken "counted as: $last"
for name in 'FAILED flow_test: Flow.Bad' 'FAILED crash_test' 'FAILED leak_test' 'FAILED gone_test' 'reports/tsan.4711' 'data race' 'gate_skipped' 'Flow.Skipped  no redis' 'Flow.Off' 'itself (1)' 'Flow.Flushed'; do
  grep -qF -- "$name" "$scratch/out" || broken "$name is not listed: $(cat "$scratch/out")"
done
echo "$last, each by name"
