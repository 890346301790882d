#!/bin/sh
# Run a command beside services, and end them with it.
#
#   with-services.sh FOLDER private|shared [NAME LIMIT READY COMMAND]… -- COMMAND…
#
# Starts each service when the one before it is ready, then the command. FOLDER is made new. In it each service has an
# empty folder, NAME, what it printed, NAME.txt, and the last words of its readiness command, NAME.ready.txt. If one does
# not become ready, the command does not run: FOLDER/problem and stderr say why, and the exit is 69. FOLDER/ended names
# those that ended before the command.
#
# `private`: nothing outside sees these processes and their ports, and they end with the sandbox.
set -u
folder=$1
isolation=$2
shift 2
rm -rf "$folder"
mkdir -p -m 700 "$folder" || exit 69
services=
names=

stop_services() {
  [ -n "$services" ] || return 0
  kill -TERM $services 2>/dev/null
  (sleep 3 && kill -KILL $services) >/dev/null 2>&1 &
  killer=$!
  wait $services 2>/dev/null
  kill "$killer" 2>/dev/null
}

# fail NAME REASON: end everything, and leave the reason with the last words of the service.
fail() {
  stop_services
  words=$(grep . "$folder/$1.txt" 2>/dev/null | tail -n 1)
  [ -n "$words" ] || words=$(grep . "$folder/$1.ready.txt" 2>/dev/null | tail -n 1)
  printf 'service %s %s: %s\n' "$1" "$2" "${words:-it printed nothing}" >"$folder/problem"
  cat "$folder/problem" >&2
  exit 69
}

# is_over TIME: has this time, in seconds, passed?
is_over() { [ "$(date +%s)" -gt "$1" ]; }

# is_ready NAME READY TIME [PID]: try the readiness command once. It may hang, so it ends at this time or with the service.
is_ready() {
  /bin/sh -c "$2" </dev/null >"$folder/$1.ready.txt" 2>&1 &
  probe=$!
  while sleep 0.05 && kill -0 "$probe" 2>/dev/null; do
    if is_over "$3" || ! kill -0 "${4:-$$}" 2>/dev/null; then kill -KILL "$probe" 2>/dev/null; fi
  done
  wait "$probe" 2>/dev/null
}

# is_gone PID: has this process ended? Seatbelt forbids signals to a process outside, and that is not the end of it.
is_gone() { LC_ALL=C kill -0 "$1" 2>&1 | grep -qi 'no such process'; }

# start_service NAME LIMIT READY COMMAND
start_service() {
  mkdir -m 700 "$folder/$1"
  # What answers already would be taken for this service.
  if [ "$isolation" = shared ] && is_ready "$1" "$3" "$(date +%s)"; then
    fail "$1" 'was not started, because its readiness command succeeds before it runs'
  fi
  /bin/sh -c "$4" </dev/null >"$folder/$1.txt" 2>&1 &
  service=$!
  services="$services $service"
  names="$names$1 "
  end=$(($(date +%s) + $2))
  until is_ready "$1" "$3" "$end" "$service" && kill -0 "$service" 2>/dev/null; do
    if ! kill -0 "$service" 2>/dev/null; then
      wait "$service"
      fail "$1" "ended with exit $? before it was ready"
    fi
    is_over "$end" && fail "$1" "was not ready within $2 s"
  done
}

while [ "$1" != -- ]; do
  start_service "$1" "$2" "$3" "$4"
  shift 4
done
shift

# Without namespaces nothing else ends what is left when this script or its starter is killed.
if [ "$isolation" = shared ]; then
  (until is_gone "$PPID" || is_gone "$$"; do sleep 2; done; kill -KILL 0) >/dev/null 2>&1 &
  watcher=$!
fi

"$@"
code=$?
[ "$isolation" = shared ] && kill "$watcher"
for service in $services; do
  name=${names%% *} names=${names#* }
  kill -0 "$service" 2>/dev/null || echo "$name" >>"$folder/ended"
done
stop_services
exit "$code"
