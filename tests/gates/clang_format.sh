#!/usr/bin/env bash
# C++ is formatted by .clang-format with the pinned version (tools/dev fmt does it).
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need clang-format "$cache/venv-checks/bin/clang-format"
files_ending .cc .h | xargs -r -P 2 -n 40 "${tool[clang-format]}" --dry-run --Werror --style=file
