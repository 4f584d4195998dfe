#!/bin/sh
# Options and settings files go to the server. The official image is compiled without the protected mode, which refuses
# clients from other pods as long as no password is set.
set -eu
case "${1:-}" in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "${1:-}" = redis-server ]; then
  set -- "$@" --protected-mode no
fi
exec "$@"
