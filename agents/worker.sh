#!/bin/sh
# Run one worker from start to end: quarantine changes that no worker made, run claude, commit, write exit.json.
#
# The arguments are the claude command; its brief is read from brief.md. From the environment:
#   DISPATCH_FOLDER    workers/<name>/ of the session     DISPATCH_OUTPUTS  the repository
#   DISPATCH_KIND      code or rw                         DISPATCH_WORKER   <session>/<name>
#   DISPATCH_FILES     a file with one glob a line: an rw worker commits only these, a code worker leaves them to others
#   DISPATCH_TOKEN     this worker's fencing token, and DISPATCH_LOCK the folder of the write lock (code only)
#   DISPATCH_ACCEPTED  the last commit that a worker handed in, or empty: then commits are not quarantined
#   DISPATCH_INTERRUPTED  the number of the attempt before, if that was cut off, or empty
#   DISPATCH_TOOLS     folders of the project's own tools. Only claude gets them on PATH; in a sandbox the policy does that
#   DISPATCH_SANDBOX_LAUNCHER  the program that opens a sandbox, and DISPATCH_NODE the node that runs it; empty without one
set -u
cd "$DISPATCH_OUTPUTS" || exit 1
umask 077
name=${DISPATCH_WORKER##*/}
agents=${0%/*}

# in_sandbox POLICY COMMAND…: run a command under a policy from the worker's folder, or directly if there is no sandbox.
in_sandbox() {
  policy=$DISPATCH_FOLDER/$1
  shift
  if [ -n "$DISPATCH_SANDBOX_LAUNCHER" ]; then "$DISPATCH_NODE" "$DISPATCH_SANDBOX_LAUNCHER" "$policy" -- "$@"; else "$@"; fi
}

# Git reads configuration that an agent may have written, so it runs in a sandbox too.
git_step() { in_sandbox sandbox-git.json /bin/sh "$agents/worker-git.sh" "$1"; }

# True if another worker has the write lock now. Then this one commits nothing more.
is_fenced() { [ "$DISPATCH_KIND" = code ] && [ "$(cat "$DISPATCH_LOCK/token" 2>/dev/null)" != "$DISPATCH_TOKEN" ]; }

if [ "$DISPATCH_KIND" = code ]; then
  files=$(git_step quarantine)
  kept=$?
  [ -n "$files" ] && printf '%s\n' "$files" >"$DISPATCH_FOLDER/quarantined.txt"
  if [ "$kept" -ne 0 ] && [ -n "${DISPATCH_INTERRUPTED:-}" ]; then
    # Otherwise half a change of the attempt before would become the work of this one.
    echo "what the attempt before had left could not be set aside" >"$DISPATCH_FOLDER/stderr.txt"
    printf '{"code":1,"fenced":false,"commit":""}\n' >"$DISPATCH_FOLDER/exit.json"
    exit 1
  fi
elif [ -n "${DISPATCH_INTERRUPTED:-}" ]; then
  git_step locks
fi
: >"$DISPATCH_FOLDER/output.txt"
tail -n +1 -f "$DISPATCH_FOLDER/output.txt" &
viewer=$!

# While this file exists, dispatch may end claude. It takes the file away first, and puts another one there until it is done.
rm -f "$DISPATCH_FOLDER/claude.ending"
: >"$DISPATCH_FOLDER/claude.running"
(
  [ -z "$DISPATCH_SANDBOX_LAUNCHER" ] && [ -n "$DISPATCH_TOOLS" ] && PATH=$DISPATCH_TOOLS:$PATH && export PATH
  in_sandbox sandbox.json "$@"
) <"$DISPATCH_FOLDER/brief.md" >"$DISPATCH_FOLDER/stream.jsonl" 2>"$DISPATCH_FOLDER/stderr.txt"
code=$?
if ! rm "$DISPATCH_FOLDER/claude.running" 2>/dev/null; then
  # Dispatch ends what claude has left, so git must not run yet. If its runner dies meanwhile, the file stays.
  for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e "$DISPATCH_FOLDER/claude.ending" ] && sleep 1; done
fi

fenced=false
step=commit
if is_fenced; then fenced=true step=head; fi
head=$(git_step $step) || echo "could not commit what $name left" >>"$DISPATCH_FOLDER/stderr.txt"
printf '{"code":%s,"fenced":%s,"commit":"%s"}\n' "$code" "$fenced" "$head" >"$DISPATCH_FOLDER/exit.json.part"
mv "$DISPATCH_FOLDER/exit.json.part" "$DISPATCH_FOLDER/exit.json"
kill "$viewer" 2>/dev/null # It may be gone already.
exit "$code"
