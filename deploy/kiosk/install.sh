#!/bin/sh
# Makes this Debian machine a kiosk, or brings it up to date: packages, two users, settings, policy, units. Run as root
# from the project in /opt/whichbin. Safe to repeat: it replaces what came with it and leaves /etc/whichbin.toml alone.
set -eu
here=$(dirname "$(readlink -f "$0")")
say() { printf '\n== %s\n' "$*"; }

[ "$(id -u)" = 0 ] || { echo "install.sh: run it as root (sudo)" >&2; exit 1; }
[ "$here" = /opt/whichbin/deploy/kiosk ] || { echo "install.sh: the project must be in /opt/whichbin, not ${here%/deploy/kiosk}" >&2; exit 1; }
cd /opt/whichbin
umask 022  # the two users have to read it

say "Packages"
apt-get update -q
# bookworm's cage does not start without xwayland; libgl1-mesa-dri draws, wlr-randr turns the screen, fonts-wqy-microhei has the Chinese characters
apt-get install -q -y --no-install-recommends chromium cage seatd wlr-randr xwayland libgl1-mesa-dri \
    fonts-noto-core fonts-wqy-microhei curl iproute2 make python3-venv

say "The app's Python packages, into /opt/whichbin/.venv"
make setup

say "Users whichbin and whichbin-kiosk"
for user in whichbin whichbin-kiosk; do
    id "$user" >/dev/null 2>&1 || useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
done

say "Settings: /etc/whichbin.toml"
[ -e /etc/whichbin.toml ] || install -m 640 -g whichbin "$here/whichbin.toml" /etc/whichbin.toml

say "Chromium's policy, for every Chromium on this machine"
install -D -m 644 "$here/policy.json" /etc/chromium/policies/managed/whichbin.json

say "Units"
install -m 644 "$here"/whichbin*.service "$here"/whichbin*.timer /etc/systemd/system/
systemctl daemon-reload
systemctl enable seatd.service whichbin.service whichbin-kiosk.service whichbin-watch.timer
systemctl restart seatd.service whichbin.service whichbin-kiosk.service whichbin-watch.timer
echo "Done. The screen should show the kiosk; if not: journalctl -b -u 'whichbin*' -u seatd"
