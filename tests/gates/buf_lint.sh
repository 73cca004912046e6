#!/usr/bin/env bash
# Every proto element is commented and named by the standard rules.
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need_buf
"${tool[buf]}" lint protos
