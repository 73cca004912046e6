#!/usr/bin/env bash
# Every shell script of the tree passes shellcheck; parts without a first line of their own are checked through the script
# that sources them.
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need shellcheck "$cache/venv-checks/bin/shellcheck" /usr/bin/shellcheck
mapfile -t scripts < <(git ls-files -co --exclude-standard | while read -r file; do
  if [ -f "$file" ] && head -n 1 "$file" 2>/dev/null | LC_ALL=C grep -qaE '^#!.*\b(ba)?sh\b'; then echo "$file"; fi
done)
[ "${#scripts[@]}" -gt 0 ] || broken "no script found"
"${tool[shellcheck]}" -x -a -P SCRIPTDIR "${scripts[@]}"
echo "${#scripts[@]} scripts"
