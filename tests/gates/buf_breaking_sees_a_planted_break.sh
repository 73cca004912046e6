#!/usr/bin/env bash
# The check above once returned 0 for a changed field because it was called on the whole workspace. So it must find each
# of three breaks planted in a copy: a field's number, a method taken away, an enum value renamed.
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need_buf
[ -f protos/baseline.binpb ] || broken "protos/baseline.binpb is missing: tools/dev baseline makes it"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
compare() { (cd "$scratch" && "${tool[buf]}" breaking protos --against "$root/protos/baseline.binpb" --exclude-imports); }
fresh() {
  rm -rf "${scratch:?}"/protos
  cp -r protos buf.yaml "$scratch/"
}
mkdir -p "$scratch/.cache/npm/node_modules"
ln -s "$cache/npm/node_modules/google-proto-files" "$scratch/.cache/npm/node_modules/google-proto-files"

fresh
compare >/dev/null || broken "the untouched copy already breaks the baseline"

# plant NAME SED-SCRIPT FILE
plant() {
  fresh
  sed -E -i "$2" "$scratch/$3"
  if cmp -s "$3" "$scratch/$3"; then broken "$1: could not be planted in $3"; fi
  if compare >"$scratch/found" 2>&1; then broken "$1 in $3 was not found"; fi
  echo "found: $1: $(head -n 1 "$scratch/found")"
}
with_service=$(grep -lE '^  rpc ' protos/potok/*/v1/*.proto | head -n 1)
with_enum=$(grep -lE '^ +[A-Z_]+ = 1;' protos/potok/*/v1/*.proto | head -n 1)
plant "a field with another number" '0,/^(  string [a-z_]+ = )1;/s//\1901;/' "$(grep -lE '^  string [a-z_]+ = 1;' protos/potok/*/v1/*.proto | head -n 1)"
plant "a method with another name" '0,/^  rpc ([A-Za-z]+)\(/s//  rpc \1Planted(/' "$with_service"
plant "an enum value with another name" '0,/^( +)([A-Z_]+) = 1;/s//\1\2_PLANTED = 1;/' "$with_enum"
