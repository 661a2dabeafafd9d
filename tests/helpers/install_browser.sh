#!/usr/bin/env bash
# Chromium for the browser tests: what is here, else Playwright's own download.
set -eu
cd "$(dirname "$0")/../.."

if .venv/bin/python -m tests.helpers.browser || .venv/bin/playwright install chromium; then
    exit 0
fi
echo "No Chromium for the browser tests. Install it (Debian: apt-get install chromium) and run this again." >&2
exit 1
