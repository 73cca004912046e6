#!/usr/bin/env bash
# Includes run one way, the wall clock has one reader, SQL lives in files, names say what is in them.
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need python3 /usr/bin/python3
"${tool[python3]}" tools/layer_check
