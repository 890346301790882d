#!/bin/sh
# One worker, one straight line: set aside what nobody owns, run claude, commit, leave the true exit on disk.
#
# The arguments are the claude command; its brief comes from brief.md. From the environment:
#   DISPATCH_FOLDER   workers/<name>/ of the session      DISPATCH_OUTPUTS  the repository
#   DISPATCH_KIND     code or rw                          DISPATCH_WORKER   <session>/<name>
#   DISPATCH_FILES    a file of globs, one a line: rw may commit only these; code leaves these to others
#   DISPATCH_TOKEN    this worker's place in the write lock, DISPATCH_LOCK the lock's record (code only)
#   DISPATCH_ACCEPTED the commit that workers have handed in so far, or empty when it is not to be asked
#   DISPATCH_TOOLS    folders of the project's own tools: for claude, and for nothing that runs out here; inside, the policy
#                     puts them on PATH
#   DISPATCH_SANDBOX_LAUNCHER     the program that opens a sandbox, and DISPATCH_NODE what runs it; empty where there is none
set -u
cd "$DISPATCH_OUTPUTS" || exit 1
umask 077
name=${DISPATCH_WORKER##*/}
agents=${0%/*}

# Run a command as this policy of ours allows.
inside() {
  policy=$DISPATCH_FOLDER/$1
  shift
  if [ -n "$DISPATCH_SANDBOX_LAUNCHER" ]; then "$DISPATCH_NODE" "$DISPATCH_SANDBOX_LAUNCHER" "$policy" -- "$@"; else "$@"; fi
}

# Git in a repository that an agent writes is never run outside of its sandbox.
git_step() { inside sandbox-git.json /bin/sh "$agents/worker-git.sh" "$1"; }

# The lock's record names the holder; a worker that lost its place writes nothing any more.
fenced() { [ "$DISPATCH_KIND" = code ] && [ "$(cat "$DISPATCH_LOCK/token" 2>/dev/null)" != "$DISPATCH_TOKEN" ]; }

if [ "$DISPATCH_KIND" = code ]; then
  found=$(git_step set-aside)
  [ -n "$found" ] && printf '%s\n' "$found" >"$DISPATCH_FOLDER/quarantined.txt"
fi
: >"$DISPATCH_FOLDER/output.txt"
tail -n +1 -f "$DISPATCH_FOLDER/output.txt" &
viewer=$!

(
  [ -z "$DISPATCH_SANDBOX_LAUNCHER" ] && [ -n "$DISPATCH_TOOLS" ] && PATH=$DISPATCH_TOOLS:$PATH && export PATH
  inside sandbox.json "$@"
) <"$DISPATCH_FOLDER/brief.md" >"$DISPATCH_FOLDER/stream.jsonl" 2>"$DISPATCH_FOLDER/stderr.txt"
code=$?

late=false
step=commit
if fenced; then late=true step=head; fi
head=$(git_step $step) || echo "could not commit what $name left" >>"$DISPATCH_FOLDER/stderr.txt"
printf '{"code":%s,"fenced":%s,"commit":"%s"}\n' "$code" "$late" "$head" >"$DISPATCH_FOLDER/exit.json.part"
mv "$DISPATCH_FOLDER/exit.json.part" "$DISPATCH_FOLDER/exit.json"
kill "$viewer" 2>/dev/null
exit "$code"
