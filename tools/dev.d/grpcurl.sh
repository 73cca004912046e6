# shellcheck shell=bash
# tools/dev grpcurl: knows where each service listens and how to say who calls.

help_grpcurl() {
  cat <<'END'
tools/dev grpcurl [-as EMPLOYEE[:role[+role...]]] [-to SERVICE] [grpcurl options] [SERVICE/METHOD | list | describe [SYMBOL]]

grpcurl against the running stack (tools/dev up). The address follows from the service's name, and the package may be left
out: IntakeService/GetTicket is potok.intake.v1.IntakeService/GetTicket. -as says who calls (the stack takes development
tokens on loopback only); without it the caller is the administrator. grpcurl itself is built on first use, two minutes.

  tools/dev grpcurl list
  tools/dev grpcurl describe potok.intake.v1.CreateTicketRequest
  tools/dev grpcurl -as ivanova -d '{"name": "tickets/..."}' IntakeService/GetTicket
  tools/dev grpcurl -as petrov:agent+flowAdmin RouterService/ListAssignments
  tools/dev grpcurl -to notifier list
END
}

# Full name of a service given without its package; the protos know.
full_symbol() {
  local symbol=$1 file
  if [[ $symbol == */* && ${symbol%%/*} != *.* ]]; then
    file=$(grep -lE "^service ${symbol%%/*} " "$ROOT"/protos/potok/*/v1/*.proto | head -n 1 || :)
    if [ -n "$file" ]; then
      file=${file#"$ROOT/protos/"} file=${file%/*}
      symbol=${file//\//.}.$symbol
    fi
  fi
  printf '%s\n' "$symbol"
}

cmd_grpcurl() {
  local caller='' service='' every='' argument
  local -a options=() rest=()
  while [ $# -gt 0 ]; do
    case $1 in
      -as) caller=${2:?-as needs a name}; shift ;;
      -to) service=${2:?-to needs a service}; shift ;;
      *) rest+=("$1") ;;
    esac
    shift
  done
  [ "${#rest[@]}" -gt 0 ] || { help_grpcurl; return 2; }
  open_stack "${POTOK_STACK:-dev}"
  # The symbol is the last argument, except for the bare verbs.
  local last=$((${#rest[@]} - 1))
  rest[last]=$(full_symbol "${rest[last]}")
  if [ -z "$service" ]; then
    service=$(sed -nE 's/^potok\.([a-z_]+)\.v[0-9].*/\1/p' <<<"${rest[last]}" | tr _ -)
    if [ -z "$service" ] || [ ! -s "$STATE/address/$service" ]; then service=intake; fi
    if [ "${rest[*]}" = list ]; then every=1; fi
  fi
  [ -s "$STATE/address/$service" ] || die "$service does not run; tools/dev up starts the stack"
  ensure_packages build >&2
  ensure_go_tool grpcurl >&2 || die "grpcurl could not be built; .cache/log/grpcurl.log says why"
  if [ -n "$caller" ]; then argument="dev:$caller"; else argument=$(stack_value token); fi
  options=(-plaintext -H "authorization: Bearer $argument")
  if [ -n "$every" ]; then
    for service in "${SERVICES[@]}"; do
      say "$service:"
      "$CACHE/bin/grpcurl" "${options[@]}" "$(service_address "$service")" list | sed 's/^/  /'
    done
    return
  fi
  local -a before=() verb=()
  # grpcurl wants its options, then the address, then list/describe/the symbol.
  case " ${rest[*]} " in
    *" list "*) verb=(list) ;;
    *" describe "*) verb=(describe) ;;
  esac
  if [ "${#verb[@]}" -gt 0 ]; then
    local seen=''
    for argument in "${rest[@]}"; do
      if [ -z "$seen" ] && [ "$argument" = "${verb[0]}" ]; then seen=1; continue; fi
      if [ -n "$seen" ]; then verb+=("$argument"); else before+=("$argument"); fi
    done
  else
    before=("${rest[@]:0:last}")
    verb=("${rest[last]}")
  fi
  exec "$CACHE/bin/grpcurl" "${options[@]}" "${before[@]}" "$(service_address "$service")" "${verb[@]}"
}
