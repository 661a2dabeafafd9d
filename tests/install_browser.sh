#!/usr/bin/env bash
# Chromium for the browser tests: the one that is here, else Debian's package, else Playwright's own download.
set -eu
cd "$(dirname "$0")/.."

if command -v chromium >/dev/null; then
    exit 0
fi
if [ -f /etc/debian_version ] && [ "$(id -u)" = 0 ]; then
    # the font makes pages, and so their layout and screenshots, look the same on every machine
    if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null; then
        exit 0
    fi
fi
if .venv/bin/python -m tests.browser; then
    exit 0
fi
if .venv/bin/playwright install chromium; then
    exit 0
fi
echo "No Chromium for the browser tests. Install it (Debian: apt-get install chromium) and run this again." >&2
exit 1
