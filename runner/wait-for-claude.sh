#!/bin/sh
# Start a runner once claude has begun its first turn (its second hook has left a file), or after two seconds. Both at once
# would fight for the processor, and the human waits for claude: measured, 0.25 of a bare start on two cores.
#   usage: after-claude.sh SPOOL COMMAND…
spool=$1
shift
begun() { [ "$#" -ge 2 ]; }
tries=0
while [ "$tries" -lt 40 ] && ! begun "$spool"/*; do
  sleep 0.05
  tries=$((tries + 1))
done
exec "$@"
