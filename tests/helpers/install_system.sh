#!/usr/bin/env bash
# What the tests need beside Python: what is here, else Debian's packages. Without nginx, coturn or Firefox the tests that
# need them are skipped; Chromium, without which most of the browser tests could not run, `make browser` insists on.
set -eu

PATH=$PATH:/usr/sbin
missing=()
have() { command -v "$1" >/dev/null; }
have chromium || missing+=(chromium)
have turnserver || missing+=(coturn)
have nginx || missing+=(nginx)
have firefox-esr || have firefox || missing+=(firefox-esr)
# the fonts make pages, and so their layout and screenshots, look the same on every machine; the second has Chinese
if have dpkg; then dpkg -s fonts-noto-core fonts-wqy-microhei >/dev/null 2>&1 || missing+=(fonts-noto-core fonts-wqy-microhei); fi
[ ${#missing[@]} = 0 ] && exit 0

if [ -f /etc/debian_version ] && [ "$(id -u)" = 0 ] &&
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
    # the packages also start servers of their own; the tests start theirs
    if [ -d /run/systemd/system ]; then
        for server in coturn nginx; do
            case " ${missing[*]} " in *" $server "*) systemctl disable --quiet --now "$server" ;; esac
        done
    fi
    exit 0
fi
echo "Not there: ${missing[*]}. The tests that need them are skipped. Debian: apt-get install ${missing[*]}" >&2
