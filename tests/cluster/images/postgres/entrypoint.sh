#!/bin/sh
# What the official image's entry point promises, as far as a chart uses it: POSTGRES_PASSWORD, _USER, _DB, each also
# as …_FILE, POSTGRES_INITDB_ARGS and PGDATA; arguments that begin with "-" go to the server.
set -eu

from_file() { # NAME DEFAULT: print the variable, or what the file has that NAME_FILE names
  eval "value=\${$1:-} file=\${$1_FILE:-}"
  if [ -n "$file" ]; then value=$(cat "$file"); fi
  printf '%s' "${value:-$2}"
}

initialize() {
  user=$(from_file POSTGRES_USER postgres)
  database=$(from_file POSTGRES_DB "$user")
  password=$(from_file POSTGRES_PASSWORD '')
  [ -n "$password" ] || { echo "POSTGRES_PASSWORD is not set" >&2; exit 1; }
  # By a descriptor: the root file system may be read-only, and the command line is public.
  initdb --username="$user" --pwfile=/dev/fd/3 --auth-local=trust --auth-host=scram-sha-256 \
    ${POSTGRES_INITDB_ARGS:-} 3<<END
$password
END
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  if [ "$database" != postgres ]; then
    printf 'CREATE DATABASE "%s";\n' "$database" | postgres --single -j postgres > /dev/null
  fi
}

case "${1:-}" in -*) set -- postgres "$@" ;; esac
if [ "${1:-}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
  initialize
fi
exec "$@"
