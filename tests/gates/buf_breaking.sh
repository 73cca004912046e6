#!/usr/bin/env bash
# No edit breaks a client of the kept baseline. `tools/dev baseline` moves the baseline, deliberately and in a commit of its own.
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need_buf
[ -f protos/baseline.binpb ] || broken "protos/baseline.binpb is missing: tools/dev baseline makes it"
"${tool[buf]}" breaking protos --against protos/baseline.binpb --exclude-imports
