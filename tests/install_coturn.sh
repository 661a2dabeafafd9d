#!/usr/bin/env bash
# coturn for the tests that go through a TURN server: what is here, else Debian's package. Without it they are skipped.
set -eu

command -v turnserver >/dev/null && exit 0
if [ -f /etc/debian_version ] && [ "$(id -u)" = 0 ] &&
    apt-get update -qq && apt-get install -y -qq --no-install-recommends coturn >/dev/null; then
    # the package also starts a server of its own; the tests start theirs
    if [ -d /run/systemd/system ]; then systemctl disable --quiet --now coturn; fi
    exit 0
fi
echo "No coturn: the tests that need a TURN server are skipped. Debian: apt-get install coturn" >&2
