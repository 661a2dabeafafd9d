#!/usr/bin/env bash
# nginx for the tests that go through a proxy: what is here, else Debian's package. Without it they are skipped.
set -eu

PATH=$PATH:/usr/sbin
command -v nginx >/dev/null && exit 0
if [ -f /etc/debian_version ] && [ "$(id -u)" = 0 ] &&
    apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx >/dev/null; then
    # the package also starts a server of its own; the tests start theirs
    if [ -d /run/systemd/system ]; then systemctl disable --quiet --now nginx; fi
    exit 0
fi
echo "No nginx: the tests that need a proxy are skipped. Debian: apt-get install nginx" >&2
