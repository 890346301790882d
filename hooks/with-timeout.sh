# Sourced by the hooks. `with_timeout FUNCTION` runs a function in a process of its own, with the hook's input as file 3, and
# returns its exit code. It does not wait for a disk that stalls or an input that never ends: after $timeout_seconds the
# function's process gets TERM and may go on alone, and the exit code is 143.
PATH=/usr/bin:/bin${PATH:+:$PATH}
timeout_seconds=0.8
umask 077

with_timeout() {
  sleep "$timeout_seconds" 3<&- 4>&- &
  alarm=$!
  { "$@" && code=0 || code=$?; kill -9 "$alarm"; exit "$code"; } &
  work=$!
  wait "$alarm" || { wait "$work"; return; }
  kill "$work" # The alarm ended by itself, so the time is up.
  sleep 0.1 3<&- 4>&-
  return 143
}
