#!/usr/bin/env bash
# Chromium and the fonts for the browser tests: what is here, else Debian's packages, else Playwright's own download.
set -eu
cd "$(dirname "$0")/.."

# the fonts make pages, and so their layout and screenshots, look the same on every machine; the second has Chinese
packages="chromium fonts-noto-core fonts-wqy-microhei"
if [ -f /etc/debian_version ] && [ "$(id -u)" = 0 ] && ! dpkg -s $packages >/dev/null 2>&1; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages >/dev/null ||
        echo "Debian's packages could not be installed; trying what is here." >&2
fi
if .venv/bin/python -m tests.browser || .venv/bin/playwright install chromium; then
    exit 0
fi
echo "No Chromium for the browser tests. Install it (Debian: apt-get install chromium) and run this again." >&2
exit 1
