#!/bin/sh
# Chromium as a kiosk: browser.sh ADDRESS. Runs inside cage, by whichbin-kiosk.service. $ROTATE turns the picture.
# What a policy can say is in policy.json.
set -eu

if [ "${ROTATE:-normal}" != normal ]; then
    wlr-randr --output "$(wlr-randr | awk 'NR == 1 { print $1 }')" --transform "$ROTATE" ||
        echo "browser.sh: cannot turn the screen by $ROTATE" >&2 # better a kiosk on its side than none
fi

set -- --kiosk "$1"                                          # full screen, no bars, no way out of it
set -- --ozone-platform=wayland "$@"                         # cage speaks nothing else
set -- --user-data-dir="$XDG_RUNTIME_DIR/profile" "$@"       # in memory; a new one each time
set -- --disk-cache-size=33554432 "$@"                       # 32 MiB; that is memory too
set -- --no-first-run "$@"                                   # no welcome page
set -- --noerrdialogs "$@"                                   # no error windows over the page
set -- --hide-crash-restore-bubble "$@"                      # no "Restore pages?"
set -- --password-store=basic "$@"                           # never asks for a keyring
set -- --autoplay-policy=no-user-gesture-required "$@"       # sound and speech with nobody touching the screen
set -- --enable-speech-dispatcher "$@"                       # speech, where speech-dispatcher is installed
set -- --disable-pinch --overscroll-history-navigation=0 "$@" # a touch screen neither zooms nor goes back
exec chromium "$@"
