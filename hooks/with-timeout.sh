# Sourced by the hooks. `with_timeout WORK` runs a function of theirs in a process of its own, which has the hook's input at 3, and
# comes back when it has ended, with its answer. A disk that stalls, or an input that nobody closes, is not waited for: after
# $patience seconds WORK is told so (TERM) and may go on by itself, and the answer is 143.
PATH=/usr/bin:/bin${PATH:+:$PATH}
patience=0.8
umask 077

with_timeout() {
  sleep "$patience" 3<&- 4>&- &
  alarm=$!
  { "$@" && answer=0 || answer=$?; kill -9 "$alarm"; exit "$answer"; } &
  work=$!
  wait "$alarm" || { wait "$work"; return; }
  kill "$work" # The alarm rang: nobody has killed it.
  sleep 0.1 3<&- 4>&-
  return 143
}
