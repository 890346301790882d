#!/bin/sh
# Git on a worker's behalf, for `worker.sh`; where there is a sandbox it runs inside. The environment is that of `worker.sh`.
# An agent may have written the repository's configuration: what it can run is switched off.
#   set-aside   keep for nobody what stands here and no worker has handed in; prints the files
#   commit      commit what the worker left, beside others who may commit; prints where HEAD stands then
#   head        prints where HEAD stands
set -u
cd "$DISPATCH_OUTPUTS" || exit 1
name=${DISPATCH_WORKER##*/}
index=$PWD/.git/index.$name

# This repository and this folder, whatever the configuration says, and not one that lies further up.
export GIT_DIR="$PWD/.git" GIT_WORK_TREE="$PWD" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=none GIT_NO_LAZY_FETCH=1

# configure KEY VALUE: over what the repository's own configuration says.
GIT_CONFIG_COUNT=0
configure() {
  export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=$1" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=$2"
  export GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
}
configure core.hooksPath /dev/null
configure core.fsmonitor false
configure submodule.recurse false
while IFS= read -r key; do
  [ -n "$key" ] || continue
  for part in clean smudge process; do configure "${key%.*}.$part" ''; done
  configure "${key%.*}.required" false
done <<KEYS
$(git config --name-only --get-regexp '^filter\.')
KEYS

# What is not this step's, as pathspecs: files of other workers, and nested repositories that are checked out, for git would
# look into each with the configuration that lies there.
others() { sed 's/^/:(exclude,glob)/' "$DISPATCH_FILES"; }
nested() {
  git ls-files --stage | sed -n 's/^160000 [^	]*	//p' | while IFS= read -r file; do
    case $file in
      '"'*) printf '":(exclude,literal)%s\n' "${file#?}" ;;
      *) [ -e "$file/.git" ] && printf ':(exclude,literal)%s\n' "$file" ;;
    esac
  done
}

# Stage what is this worker's to commit, in the index it is given.
stage() {
  if [ "$DISPATCH_KIND" = code ]; then
    { echo . && others && nested; } | git add -A --pathspec-from-file=-
  else
    while IFS= read -r glob; do
      { printf ':(glob)%s\n' "$glob" && nested; } | git add -A --pathspec-from-file=- 2>/dev/null
    done <"$DISPATCH_FILES"
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
  found=$(git status --porcelain --ignore-submodules=dirty -- "$@")
  if [ -n "$found" ]; then
    printf '%s\n' "$found" | cut -c4-
    { echo . && others && nested; } | git stash push --quiet --include-untracked --message "found by $name" --pathspec-from-file=-
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
