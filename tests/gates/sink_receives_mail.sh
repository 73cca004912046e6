#!/usr/bin/env bash
# The mail sink of the demo: writes each mail and its index line, refuses what it was told to refuse, ends on SIGTERM.
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need python3 /usr/bin/python3
"${tool[python3]}" -c 'import aiosmtpd' 2>/dev/null || skip "python3-aiosmtpd is not here; tools/dev test installs it"
scratch=$(mktemp -d)
sink=
trap 'if [ -n "$sink" ]; then kill "$sink" 2>/dev/null || :; fi; rm -rf "$scratch"' EXIT
"${tool[python3]}" tools/sink --dir "$scratch/mail" --port-file "$scratch/port" --refuse nobody=550 >"$scratch/log" 2>&1 &
sink=$!
for _ in $(seq 100); do [ ! -s "$scratch/port" ] || break; kill -0 "$sink" || broken "$(cat "$scratch/log")"; sleep 0.1; done
"${tool[python3]}" - "$scratch" <<'END'
import email.message, json, pathlib, smtplib, sys
scratch = pathlib.Path(sys.argv[1])
host, port = (scratch / "port").read_text().strip().split(":")
message = email.message.EmailMessage()
message["From"], message["To"], message["Subject"] = "potok@example.test", "ivanova@example.test", "Заявка HR-000001 принята"
message["Message-ID"] = "<1@potok>"
message.set_content("Справка 2-НДФЛ будет готова 12 января.")
with smtplib.SMTP(host, int(port), timeout=10) as client:
    client.send_message(message)
    try:
        client.send_message(message, to_addrs=["nobody@example.test"])
        sys.exit("the refused recipient was accepted")
    except smtplib.SMTPRecipientsRefused as refusal:
        assert refusal.recipients["nobody@example.test"][0] == 550, refusal.recipients
entries = [json.loads(line) for line in (scratch / "mail/index.jsonl").read_text("utf-8").splitlines()]
assert len(entries) == 1, entries
assert entries[0]["subject"] == "Заявка HR-000001 принята" and entries[0]["to"] == ["ivanova@example.test"], entries
assert entries[0]["headers"]["Message-ID"] == "<1@potok>" and "2-НДФЛ" in entries[0]["text"], entries
assert (scratch / "mail" / entries[0]["file"]).is_file()
END
kill -TERM "$sink"
wait "$sink" || broken "the sink ended with an error: $(cat "$scratch/log")"
sink=
echo "one mail received, one recipient refused"
