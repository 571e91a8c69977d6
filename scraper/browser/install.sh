#!/bin/sh
# Installs Debian's Chromium, as a headless shell, where that needs no question to the user: as root, with apt-get.
# Never fails: without a browser everything works except rendering.
found() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/bin/$1" ]; }
if found chromium-headless-shell; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  (apt-get -qq update && {
    apt-get -qq install --no-install-recommends -y chromium-headless-shell ||
      found chromium || apt-get -qq install --no-install-recommends -y chromium
  }) >/dev/null 2>&1 </dev/null && exit 0
fi
for name in chromium chromium-browser google-chrome; do
  if found "$name"; then exit 0; fi
done
echo "note: Chromium is missing; pages that need a browser will not be read" \
  "(Debian: apt install chromium-headless-shell; macOS: brew install --cask chromium)"
exit 0
