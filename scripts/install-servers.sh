#!/usr/bin/env bash
# Installs what the tests talk to (servers, and a browser that looks at the live page), from Debian's packages, where it is missing,
# and starts no service. It does not fail where it cannot: with INTEROP=required, the tests that miss a program do, and say so.
set -uo pipefail

PATH="$PATH:/usr/sbin:/usr/local/sbin"
servers=(nginx haproxy openssl chromium dnsmasq squid tinyproxy danted mitmdump)

missing() {
  local server
  for server in "${servers[@]}"; do
    command -v "$server" >/dev/null || echo "$server"
  done
}

# Some programs have another name than the package that they come in.
package_of() {
  case "$1" in
    danted) echo dante-server ;;
    mitmdump) echo mitmproxy ;;
    tinyproxy) echo tinyproxy-bin ;;
    *) echo "$1" ;;
  esac
}

# Debian's packages start their services, unless this file says no.
policy=/usr/sbin/policy-rc.d

install() {
  export DEBIAN_FRONTEND=noninteractive
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq && apt-get install -qq -y --no-install-recommends "$@"
}

mapfile -t packages < <(missing)
if ((${#packages[@]} > 0)); then
  echo "Missing: ${packages[*]}"
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    echo 'Only root can install them, and only with apt-get.'
  else
    mapfile -t packages < <(for program in "${packages[@]}"; do package_of "$program"; done)
    install "${packages[@]}" </dev/null 2>&1
  fi
fi

mapfile -t packages < <(missing)
((${#packages[@]} == 0)) || echo "STILL MISSING: ${packages[*]}. The tests that need them will fail."
for server in "${servers[@]}"; do
  command -v "$server"
done
exit 0
