#!/usr/bin/env bash
# A private PostgreSQL for tests, on a port of loopback, with all it has in one directory.
#
#   postgres.sh DIRECTORY start [PORT]   makes the cluster if there is none, starts it and prints its URL
#   postgres.sh DIRECTORY stop           as an operator does: sessions are ended, all is written
#   postgres.sh DIRECTORY kill           as a power failure does: what was not synced is gone
#   postgres.sh DIRECTORY freeze         stops its processes without ending them; `thaw` lets them go on
#   postgres.sh DIRECTORY standby FROM [PORT]   a standby of the cluster in FROM, which waits for it with each commit
#   postgres.sh DIRECTORY promote        makes a standby the one that takes writes
#
# Ends with 77 where there is no PostgreSQL.
set -euo pipefail
directory=$1 command=$2
shopt -s nullglob
initdbs=(/usr/lib/postgresql/*/bin/initdb)
[ ${#initdbs[@]} -gt 0 ] || { echo "no PostgreSQL is installed" >&2; exit 77; }
bin=$(dirname "${initdbs[-1]}")
# It refuses to run as root.
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
settings() {
  printf '%s\n' "listen_addresses = '127.0.0.1'" "unix_socket_directories = ''" "max_connections = 300" \
    "wal_level = replica" "max_wal_senders = 5" "wal_keep_size = 128MB" "hot_standby = on" "port = $1" \
    >>"$directory/data/postgresql.conf"
}
run() { as "$bin/pg_ctl" -D "$directory/data" -l "$directory/data/log" -w "$@" >/dev/null; }
url() { echo "postgres://app@127.0.0.1:$(sed -n 4p "$directory/data/postmaster.pid")/postgres"; }
prepare() {
  mkdir -p "$directory"
  chmod 711 "$directory"
  if [ "$(id -u)" = 0 ]; then
    chown postgres "$directory"
    chmod o+x "$(dirname "$directory")" # of a directory that was made for the test
  fi
}
# Below those that clients are given, one of which may have it before the server has, or while that is stopped.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

cd /
case $command in
  start)
    prepare
    if [ ! -s "$directory/data/PG_VERSION" ]; then
      as "$bin/initdb" -D "$directory/data" -A trust -U app --no-sync -E UTF8 --locale=C.UTF-8 >/dev/null
      settings "${3:-$(free_port)}"
    fi
    run start
    url
    ;;
  standby)
    prepare
    from=$3
    source_url=$(directory=$from url)
    as "$bin/pg_basebackup" -d "$source_url" -D "$directory/data" -X stream -c fast --no-sync
    printf '%s\n' "port = ${4:-$(free_port)}" "primary_conninfo = '$source_url?application_name=standby'" \
      "synchronous_standby_names = ''" >>"$directory/data/postgresql.conf"
    as touch "$directory/data/standby.signal"
    run start
    # From now on a commit is there twice before it is acknowledged.
    echo "synchronous_standby_names = 'standby'" >>"$from/data/postgresql.conf"
    as "$bin/pg_ctl" -D "$from/data" reload >/dev/null
    url
    ;;
  promote) run promote ;;
  freeze | thaw)
    [ "$command" = freeze ] && signal=STOP || signal=CONT
    main=$(head -1 "$directory/data/postmaster.pid")
    kill "-$signal" "$main" $(ps -o pid= --ppid "$main")
    ;;
  stop) run -m fast stop ;;
  kill) run -m immediate stop ;;
  *) sed -n '2,/^set/p' "$0" | grep '^#' >&2; exit 2 ;;
esac
