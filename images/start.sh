#!/bin/sh
# The command of the image of the whole platform (standalone/Dockerfile). Hosting platforms say in words of their own
# where it listens, how it is reached and what its database is; what is set in ours comes first.
#   PORT                                             8000 unless given
#   DATABASE_URL                                     SQLite in /data unless given
#   REDIS_URL                                        in memory unless given
#   RENDER_EXTERNAL_URL, RAILWAY_PUBLIC_DOMAIN       the address in links; each request's own unless given
set -eu
railway=${RAILWAY_PUBLIC_DOMAIN:+https://$RAILWAY_PUBLIC_DOMAIN}

# An empty address is a wrong one, and what compose files make of a variable that nobody set.
set_or_unset() {
  if [ -n "$2" ]; then export "$1=$2"; else unset "$1"; fi
}

set_or_unset MODELPORT_CONTROL_API_DATABASE_URL "${MODELPORT_CONTROL_API_DATABASE_URL:-${DATABASE_URL:-}}"
set_or_unset MODELPORT_REDIS_URL "${MODELPORT_REDIS_URL:-${REDIS_URL:-}}"
set_or_unset MODELPORT_CONTROL_API_PUBLIC_URL "${MODELPORT_CONTROL_API_PUBLIC_URL:-${RENDER_EXTERNAL_URL:-$railway}}"
# -I: neither the working directory nor a user's folder can add a module. -u: each line is seen at once.
exec python -Iu -m modelport_standalone.cli --host 0.0.0.0 --port "${PORT:-8000}" --data-dir "${MODELPORT_DATA_DIR:-/data}" \
  --log-to-stderr "$@"
