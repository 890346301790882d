#!/bin/sh
# Git on a worker's behalf, for `worker.sh`; where there is a sandbox it runs inside. The environment is that of `worker.sh`.
#   set-aside   keep for nobody what stands here and no worker has handed in; prints the files
#   commit      commit what the worker left, beside others who may commit; prints where HEAD stands then
#   head        prints where HEAD stands
set -u
cd "$DISPATCH_OUTPUTS" || exit 1
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

# Own index, and HEAD moves only from where we saw it.
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

# Changes are kept in git's stash, commits under refs/set-aside/.
set_aside() {
  set -- .
  while IFS= read -r glob; do set -- "$@" ":(exclude,glob)$glob"; done <"$DISPATCH_FILES"
  if [ -n "$(git status --porcelain -- "$@")" ]; then
    git status --porcelain -- "$@" | cut -c4-
    git stash push --quiet --include-untracked --message "found by $name" -- "$@"
  fi
  head=$(git rev-parse HEAD)
  if [ -n "$DISPATCH_ACCEPTED" ] && [ "$head" != "$DISPATCH_ACCEPTED" ]; then
    git diff --name-only "$DISPATCH_ACCEPTED" "$head"
    git update-ref "refs/set-aside/$name" "$head" && git reset --quiet --hard "$DISPATCH_ACCEPTED"
  fi
}

case $1 in
  set-aside) set_aside ;;
  commit)
    commit
    done=$?
    rm -f "$index"
    git rev-parse HEAD
    exit "$done"
    ;;
  head) git rev-parse HEAD ;;
esac
