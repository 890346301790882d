#!/bin/sh
# One worker, one straight line: set aside what nobody owns, run claude, commit, leave the true exit on disk.
#
# The arguments are the claude command; its brief comes from brief.md. From the environment:
#   DISPATCH_FOLDER   workers/<name>/ of the session      DISPATCH_OUTPUTS  the repository
#   DISPATCH_KIND     code or rw                          DISPATCH_WORKER   <session>/<name>
#   DISPATCH_FILES    a file of globs, one a line: rw may commit only these; code leaves these to others
#   DISPATCH_TOKEN    this worker's place in the write lock, DISPATCH_LOCK the lock's record (code only)
#   DISPATCH_ACCEPTED the commit that workers have handed in so far, or empty when it is not to be asked
set -u
cd "$DISPATCH_OUTPUTS" || exit 1
umask 077
name=${DISPATCH_WORKER##*/}
index=$PWD/.git/index.$name

# Stage what is this worker's to commit, in the index it is given.
stage() {
  if [ "$DISPATCH_KIND" = code ]; then
    set -- .
    while IFS= read -r glob; do set -- "$@" ":(exclude,glob)$glob"; done <"$DISPATCH_FILES"
    git add -A -- "$@"
  else
    while IFS= read -r glob; do git add -A -- ":(glob)$glob" 2>/dev/null; done <"$DISPATCH_FILES"
  fi
}

# The lock's record names the holder; a worker that lost its place writes nothing any more.
fenced() { [ "$DISPATCH_KIND" = code ] && [ "$(cat "$DISPATCH_LOCK/token" 2>/dev/null)" != "$DISPATCH_TOKEN" ]; }

# Commit beside others who may commit at the same moment: own index, and HEAD moves only from where we saw it.
commit() {
  tries=0
  while [ "$tries" -lt 50 ]; do
    tries=$((tries + 1))
    parent=$(git rev-parse HEAD) || return 1
    stage
    GIT_INDEX_FILE=$index git read-tree "$parent" && tree=$(GIT_INDEX_FILE=$index; export GIT_INDEX_FILE; stage; git write-tree) || return 1
    [ "$tree" = "$(git rev-parse "$parent^{tree}")" ] && return 0
    made=$(git commit-tree "$tree" -p "$parent" -m "$name: what it left uncommitted") || return 1
    git update-ref HEAD "$made" "$parent" 2>/dev/null && return 0
    sleep 0.1
  done
  return 1
}

# What stands here before a code worker begins and no worker has handed in belongs to nobody: changes are kept in git's
# stash, commits under refs/set-aside/, and both are said.
set_aside() {
  set -- .
  while IFS= read -r glob; do set -- "$@" ":(exclude,glob)$glob"; done <"$DISPATCH_FILES"
  if [ -n "$(git status --porcelain -- "$@")" ]; then
    git status --porcelain -- "$@" | cut -c4- >"$DISPATCH_FOLDER/set-aside.txt"
    git stash push --quiet --include-untracked --message "found by $name" -- "$@"
  fi
  head=$(git rev-parse HEAD)
  if [ -n "$DISPATCH_ACCEPTED" ] && [ "$head" != "$DISPATCH_ACCEPTED" ]; then
    git diff --name-only "$DISPATCH_ACCEPTED" "$head" >>"$DISPATCH_FOLDER/set-aside.txt"
    git update-ref "refs/set-aside/$name" "$head" && git reset --quiet --hard "$DISPATCH_ACCEPTED"
  fi
}

[ "$DISPATCH_KIND" = code ] && set_aside
: >"$DISPATCH_FOLDER/screen.txt"
tail -n +1 -f "$DISPATCH_FOLDER/screen.txt" &
viewer=$!

"$@" <"$DISPATCH_FOLDER/brief.md" >"$DISPATCH_FOLDER/stream.jsonl" 2>"$DISPATCH_FOLDER/stderr.txt"
code=$?

late=false
if fenced; then late=true; else commit || echo "could not commit what $name left" >>"$DISPATCH_FOLDER/stderr.txt"; fi
rm -f "$index"
printf '{"code":%s,"fenced":%s,"commit":"%s"}\n' "$code" "$late" "$(git rev-parse HEAD)" >"$DISPATCH_FOLDER/exit.json.part"
mv "$DISPATCH_FOLDER/exit.json.part" "$DISPATCH_FOLDER/exit.json"
kill "$viewer" 2>/dev/null
exit "$code"
