#!/usr/bin/env bash
# Protos are formatted (tools/dev fmt does it).
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need_buf
"${tool[buf]}" format -d --exit-code protos
