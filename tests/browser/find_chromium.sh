#!/bin/sh
# Finds a Chromium for the browser tests and prints its path, or installs the distribution's when run as root.
# CHROMIUM names one of your own.
set -eu

find_one() {
    for name in "${CHROMIUM:-}" chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
        if [ -n "$name" ] && path=$(command -v "$name" 2>/dev/null); then
            printf 'Browser tests use %s\n' "$path"
            return 0
        fi
    done
    return 1
}

if [ -n "${CHROMIUM:-}" ] && ! command -v "$CHROMIUM" >/dev/null 2>&1; then
    printf 'CHROMIUM is set to %s, which cannot be run. Correct it or unset it.\n' "$CHROMIUM" >&2
    exit 1
fi
find_one && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo 'Installing Chromium for the browser tests (apt-get install chromium-headless-shell, or chromium)'
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    get() { apt-get install -y -qq --no-install-recommends "$1" >>"$log" 2>&1; }
    # The shell has no windows, menus or extensions to load for each test; not every distribution has it.
    if apt-get update -qq >"$log" 2>&1 && { get chromium-headless-shell || get chromium; }; then
        rm -f "$log"
        find_one && exit 0
    else
        tail -n 15 "$log" >&2
        rm -f "$log"
    fi
fi
cat >&2 <<'MISSING'
The browser tests need Chromium, and none was found.
  Looked for: $CHROMIUM, chromium-headless-shell, chromium, chromium-browser, google-chrome, google-chrome-stable
  Debian, Ubuntu: sudo apt-get install chromium
  Fedora:         sudo dnf install chromium
  macOS:          install Chrome or Chromium and set CHROMIUM to the program inside the application
MISSING
exit 1
