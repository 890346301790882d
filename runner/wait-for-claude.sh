#!/bin/sh
# Start a runner once claude has begun its first turn (a hook has left a file), or after two seconds. Started together
# they would compete for the processor, and the human waits for claude: this saved 25% of a bare start on two cores.
#   usage: wait-for-claude.sh HOOK_INBOX COMMAND…
inbox=$1
shift
has_begun() { [ -e "$1" ]; }
tries=0
while [ "$tries" -lt 40 ] && ! has_begun "$inbox"/*; do
  sleep 0.05
  tries=$((tries + 1))
done
exec "$@"
