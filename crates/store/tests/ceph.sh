#!/usr/bin/env bash
# A private Ceph cluster for tests: a monitor, a manager, three OSDs in files, and a gateway that speaks S3, all on
# loopback, with all they have in one directory. What is written is there at two OSDs before it is acknowledged.
#
#   ceph.sh DIRECTORY start          makes and starts it; prints the variables that tests need, to be evaluated by a shell
#   ceph.sh DIRECTORY stop           ends all of it; what it stored is of no use to anybody then
#   ceph.sh DIRECTORY start DAEMON   starts a daemon again: mon.a, mgr.x, osd.0, osd.1, osd.2 or gateway
#   ceph.sh DIRECTORY stop DAEMON    ends it as an operator does
#   ceph.sh DIRECTORY kill DAEMON    ends it as a power failure does
#
# Needs radosgw, ceph-mon, ceph-osd, ceph-mgr and ceph-common; ends with 77 where they are not.
set -euo pipefail
directory=$(realpath -m "$1") command=$2 daemon=${3:-}
for program in ceph-mon ceph-mgr ceph-osd radosgw radosgw-admin ceph monmaptool curl; do
  command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 77; }
done
readonly access_key=AKTESTCEPH secret_key=SKTESTCEPHSECRET bucket=charta
readonly osds=(osd.0 osd.1 osd.2)
# Each knows where its cluster is, and the commands too.
export CEPH_CONF=$directory/ceph.conf CEPH_ARGS="-c $directory/ceph.conf"

# Below those that clients are given, one of which may have it before the server has, or while that is stopped.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# Runs a command again and again until it succeeds, for as long as a busy machine may take.
until_true() {
  local what=$1 end=$((SECONDS + 120))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || { echo "$what: never" >&2; return 1; }
    sleep 0.2
  done
}

gateway_url() { sed -n 's|^rgw frontends = beast endpoint=|http://|p' "$directory/ceph.conf"; }
gateway_answers() { curl -sf -o /dev/null "$(gateway_url)/"; }
osds_up() { ceph osd stat | grep -q ' 3 up'; }

# The process of a daemon, if it is still the one that was started here.
process_of() {
  local pid
  pid=$(cat "$directory/run/$1.pid" 2>/dev/null) || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$directory/ceph.conf" && echo "$pid"
}

run() {
  local name=$1 id=${1#*.} program
  case $name in
    mon.*) program=(ceph-mon -i "$id") ;;
    mgr.*) program=(ceph-mgr -i "$id") ;;
    osd.*) program=(ceph-osd -i "$id") ;;
    gateway) program=(radosgw -n client.gateway) ;;
    *) echo "no such daemon: $name" >&2; return 2 ;;
  esac
  "${program[@]}" -f -c "$directory/ceph.conf" </dev/null >>"$directory/log/$name.out" 2>&1 &
  echo $! >"$directory/run/$name.pid"
}

# Sends a signal and waits until the process has ended.
end() {
  local pid
  pid=$(process_of "$1") || return 0
  kill "-$2" "$pid" 2>/dev/null || return 0
  until_true "the end of $1" bash -c "! kill -0 $pid || grep -q '^State:.Z' /proc/$pid/status"
}

end_all() {
  local file name
  for file in "$directory"/run/*.pid; do
    name=$(basename "$file" .pid)
    end "$name" KILL || true
  done
}

# Of a start that failed nothing is left but what its parts said.
give_up() {
  end_all
  tail -n 3 "$directory"/log/*.{out,mkfs} >&2
}

configure() {
  local mon_port=$1 gateway_port=$2
  cat >"$directory/ceph.conf" <<CONFIGURATION
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = v2:127.0.0.1:$mon_port
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = $directory/keyring
run dir = $directory/run
crash dir = $directory/run
admin socket = $directory/run/\$name.asok
log file = $directory/log/\$name.log
# Three copies, of which two answer for a write.
osd pool default size = 3
osd pool default min size = 2
osd pool default pg num = 8
osd pool default pg autoscale mode = off
# The OSDs are on one machine.
osd crush chooseleaf type = 0
mon data = $directory/\$name
mon max pg per osd = 1000
# Of disks that others fill too.
mon data avail warn = 1
mon data avail crit = 1
[mgr]
mgr data = $directory/\$name
mgr initial modules = iostat
[osd]
osd data = $directory/\$name
osd objectstore = bluestore
osd memory target = 939524096
bluestore block create = true
bluestore block size = 3221225472
[client.gateway]
rgw frontends = beast endpoint=127.0.0.1:$gateway_port
rgw thread pool size = 64
CONFIGURATION
}

new_key() { ceph-authtool "$directory/keyring" --gen-key -n "$@" >/dev/null; }

# Begins with the keys of all, as nobody can ask for one without one.
make_monitor() {
  local mon_port=$1 fsid
  fsid=$(sed -n 's/^fsid = //p' "$directory/ceph.conf")
  : >"$directory/keyring"
  chmod 600 "$directory/keyring"
  new_key mon. --cap mon 'allow *'
  new_key client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  new_key mgr.x --cap mon 'allow profile mgr' --cap osd 'allow *'
  new_key client.gateway --cap mon 'allow rw' --cap osd 'allow rwx'
  for osd in "${osds[@]}"; do
    new_key "$osd" --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *'
  done
  monmaptool --create --addv a "[v2:127.0.0.1:$mon_port]" --fsid "$fsid" "$directory/monmap" >/dev/null
  mkdir "$directory/mon.a" "$directory/mgr.x"
  ceph-mon --mkfs -i a --monmap "$directory/monmap" --keyring "$directory/keyring" >/dev/null 2>&1
}

make_osd() {
  local osd=$1 uuid
  uuid=$(cat /proc/sys/kernel/random/uuid)
  mkdir "$directory/$osd"
  ceph osd new "$uuid" "${osd#osd.}" >/dev/null 2>&1
  ceph-osd -i "${osd#osd.}" --mkfs --osd-uuid "$uuid" >"$directory/log/$osd.mkfs" 2>&1
  run "$osd"
}

make_bucket() {
  radosgw-admin user create --uid test --display-name test --access-key "$access_key" --secret-key "$secret_key" >/dev/null 2>&1
  curl -sf -o /dev/null --aws-sigv4 aws:amz:us-east-1:s3 --user "$access_key:$secret_key" \
    -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -X PUT "$(gateway_url)/$bucket"
}

make() {
  mkdir -p "$directory/run" "$directory/log"
  made=no
  trap '[ "$made" = yes ] || give_up' EXIT
  local mon_port
  mon_port=$(free_port)
  configure "$mon_port" "$(free_port)"
  make_monitor "$mon_port"
  run mon.a
  until_true "the monitor" timeout 10 ceph mon stat
  run mgr.x
  for osd in "${osds[@]}"; do make_osd "$osd"; done
  until_true "three OSDs" osds_up
  run gateway
  until_true "the gateway" gateway_answers
  make_bucket
  printf 'export %s\n' "TEST_CEPH=$directory" "TEST_S3_URL=s3://$bucket/test" "AWS_ENDPOINT_URL=$(gateway_url)" \
    "AWS_ACCESS_KEY_ID=$access_key" "AWS_SECRET_ACCESS_KEY=$secret_key" AWS_REGION=us-east-1
  made=yes
}

case $command:$daemon in
  start:) make ;;
  stop:) end_all ;;
  start:*) process_of "$daemon" >/dev/null || run "$daemon" ;;
  stop:*) end "$daemon" TERM ;;
  kill:*) end "$daemon" KILL ;;
  *) sed -n '2,/^set/p' "$0" | grep '^#' >&2; exit 2 ;;
esac
