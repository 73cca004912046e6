#!/usr/bin/env bash
# Protos are formatted (tools/dev fmt does it).
. "$(dirname "$0")/gate.sh"
need_buf
"${tool[buf]}" format -d --exit-code protos
