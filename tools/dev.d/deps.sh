# shellcheck shell=bash
# Debian packages: what tools/versions asks for and this machine lacks, said first, then installed.

# missing_packages GROUP... prints each package of the groups that is absent or too old.
missing_packages() {
  local groups=" $* " kind group package minimum have
  declare -A installed=()
  while read -r package have; do installed[$package]=$have; done < <(
    dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Version}\n' 2>/dev/null | awk '$1 == "ii" { print $2, $3 }')
  while read -r kind group package minimum; do
    if [ "$kind" != deb ] || [[ $groups != *" $group "* ]]; then continue; fi
    have=${installed[$package]:-}
    if [ -z "$have" ] || ! dpkg --compare-versions "$have" ge "$minimum"; then echo "$package"; fi
  done <"$ROOT/tools/versions"
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Runs as root: installs "$@" and lets none of them start a service or create the system's own Postgres cluster.
# Potok's stack is private; a second server on a well-known port is not something a build may leave behind.
install_quietly() {
  set -e
  export DEBIAN_FRONTEND=noninteractive
  policy=/usr/sbin/policy-rc.d no_cluster=/etc/postgresql-common/createcluster.d/potok.conf
  ours=()
  trap 'rm -f "${ours[@]}"' EXIT
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    ours+=("$policy")
  fi
  if [ ! -e /usr/bin/pg_createcluster ]; then
    mkdir -p "${no_cluster%/*}"
    echo 'create_main_cluster = false' >"$no_cluster"
    ours+=("$no_cluster")
  fi
  apt-get -q update
  apt-get -q install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
  # Where systemd runs, the packages also asked to be started at the next boot.
  if [ -d /run/systemd/system ]; then
    for unit in postgresql redis-server; do
      case " $* " in *" $unit"*) systemctl -q disable "$unit" || : ;; esac
    done
  fi
}

ensure_packages() {
  local -a missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "Missing Debian packages (${#missing[@]}):"
  printf '%s\n' "${missing[*]}" | fold -s -w 96 | sed 's/^/  /'
  if [ -n "${NO_INSTALL:-}" ]; then
    die "--no-install was given; install them with: apt-get install --no-install-recommends ${missing[*]}"
  fi
  command -v apt-get >/dev/null || die "this is not Debian (no apt-get): install the packages above by hand"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "not root and no sudo: run as root: apt-get install --no-install-recommends ${missing[*]}"
    say "They are installed with sudo, which may ask for your password."
    sudo -v || die "sudo refused"
  fi
  WORK_TAIL=40 work "installing ${#missing[@]} packages and what they need" "$CACHE/log/apt.log" '^(Get:|Unpacking|Setting up)' \
    as_root bash -c "$(declare -f install_quietly); install_quietly \"\$@\"" bash "${missing[@]}"
}
