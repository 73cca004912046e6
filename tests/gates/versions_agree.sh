#!/usr/bin/env bash
# tools/versions is the one list: package.json and its lock say the same npm versions, and the lock names no host.
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need python3 /usr/bin/python3
"${tool[python3]}" - <<'END'
import json, re, sys
pinned = dict(re.findall(r"^npm (\S+)\s+(\S+)$", open("tools/versions").read(), re.M))
wanted = json.load(open("package.json"))["devDependencies"]
lock = json.load(open("package-lock.json"))["packages"]
faults = []
if pinned != wanted:
    faults.append(f"tools/versions says {pinned}, package.json {wanted}")
for name, version in pinned.items():
    if lock.get("node_modules/" + name, {}).get("version") != version:
        faults.append(f"package-lock.json does not hold {name} {version}")
faults += [f"package-lock.json names a host for {path}" for path, entry in lock.items() if "resolved" in entry]
faults += [f"package-lock.json has no checksum for {path}" for path, entry in lock.items() if path and "integrity" not in entry]
print("\n".join(faults) or "versions agree")
sys.exit(1 if faults else 0)
END
