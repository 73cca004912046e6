#!/usr/bin/env bash
# The layer check finds one breach of each kind that it claims to find, and none in a clean tree.
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need python3 /usr/bin/python3
"${tool[python3]}" tools/layer_check --self-test
