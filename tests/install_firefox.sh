#!/usr/bin/env bash
# Firefox for the test of a second browser: what is here, else Debian's package. Without it that test is skipped.
set -eu

command -v firefox-esr >/dev/null || command -v firefox >/dev/null && exit 0
if [ -f /etc/debian_version ] && [ "$(id -u)" = 0 ] &&
    apt-get update -qq && apt-get install -y -qq --no-install-recommends firefox-esr >/dev/null; then
    exit 0
fi
echo "No Firefox: the test of a second browser is skipped. Debian: apt-get install firefox-esr" >&2
