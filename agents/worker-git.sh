#!/bin/sh
# Git on a worker's behalf, called by `worker.sh` with its environment, in a sandbox if there is one. An agent may have written
# the repository's configuration, so everything that it could run is switched off.
#   locks       remove the locks of a git that was cut off
#   quarantine  keep what no worker handed in out of the work; print the files
#   commit      commit what the worker left, while other workers may commit too; print HEAD
#   head        print HEAD
set -u
cd "$DISPATCH_OUTPUTS" || exit 1
name=${DISPATCH_WORKER##*/}
index=$PWD/.git/index.$name

# Use this repository and this folder, whatever the configuration says, and never a repository further up.
export GIT_DIR="$PWD/.git" GIT_WORK_TREE="$PWD" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=none GIT_NO_LAZY_FETCH=1

# configure KEY VALUE: override the repository's own configuration.
GIT_CONFIG_COUNT=0
configure() {
  export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=$1" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=$2"
  export GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
}
configure core.hooksPath /dev/null
configure core.fsmonitor false
configure submodule.recurse false
# Only Git LFS has a filter, that of dispatch. A process that an agent has named for it could not be replaced: then it has none.
own_filter='^filter\.lfs\.(clean|smudge|process|required)$'
if git config --get filter.lfs.process >/dev/null; then own_filter='^$'; fi
while IFS= read -r key; do
  [ -n "$key" ] || continue
  for part in clean smudge process; do configure "${key%.*}.$part" ''; done
  configure "${key%.*}.required" false
done <<KEYS
$(git config --name-only --get-regexp '^filter\.' | grep -Ev "$own_filter")
KEYS

if [ "$own_filter" != '^$' ]; then
  export DISPATCH_LFS_FILTER="${0%/*}/../host/lfs/filter.sh"
  configure filter.lfs.clean 'sh "$DISPATCH_LFS_FILTER" clean'
  configure filter.lfs.smudge 'sh "$DISPATCH_LFS_FILTER" smudge'
  configure filter.lfs.required true
fi

# The two kinds of paths to leave out, as pathspecs: files of other workers, and nested repositories that are checked out.
# Git would read the configuration of a nested repository.
exclude_others() { sed 's/^/:(exclude,glob)/' "$DISPATCH_FILES"; }
exclude_nested() {
  git ls-files --stage | sed -n 's/^160000 [^	]*	//p' | while IFS= read -r file; do
    case $file in
      '"'*) printf '":(exclude,literal)%s\n' "${file#?}" ;;
      *) [ -e "$file/.git" ] && printf ':(exclude,literal)%s\n' "$file" ;;
    esac
  done
}

# A file system that does not tell case apart has a file by its old name too, so that git sees no new spelling. Take what this worker
# may commit and is spelled in another way out of the index; then it is a new name.
drop_old_spellings() {
  [ "$(git config --bool core.ignorecase)" = true ] || return 0
  kind=glob
  set --
  if [ "$DISPATCH_KIND" = code ]; then
    kind=exclude,glob
    set -- .
  fi
  while IFS= read -r glob; do set -- "$@" ":($kind)$glob"; done <"$DISPATCH_FILES"
  [ "$#" -gt 0 ] || return 0
  {
    find . -name .git -prune -o '(' -type f -o -type l ')' -print | sed 's|^\./||'
    echo
    git -c core.quotePath=false ls-files -- "$@"
  } | awk '
    $0 == "" { inIndex = 1; next }
    !inIndex { real[$0]; spelled[tolower($0)]; next }
    !($0 in real) && tolower($0) in spelled
  ' | git update-index --force-remove --stdin
}

# Stage in the current index what this worker may commit.
stage() {
  drop_old_spellings
  if [ "$DISPATCH_KIND" = code ]; then
    { echo . && exclude_others && exclude_nested; } | git add -A --pathspec-from-file=-
  else
    while IFS= read -r glob; do
      { printf ':(glob)%s\n' "$glob" && exclude_nested; } | git add -A --pathspec-from-file=- 2>/dev/null
    done <"$DISPATCH_FILES"
  fi
}

# The worker has an index of its own, and HEAD moves only if it is still the parent. Otherwise another worker committed: retry.
commit() {
  attempts=0
  while [ "$attempts" -lt 50 ]; do
    attempts=$((attempts + 1))
    parent=$(git rev-parse HEAD) || return 1
    stage
    GIT_INDEX_FILE=$index git read-tree "$parent" && tree=$(GIT_INDEX_FILE=$index; export GIT_INDEX_FILE; stage; git write-tree) || return 1
    [ "$tree" = "$(git rev-parse "$parent^{tree}")" ] && return 0
    commit=$(git commit-tree "$tree" -p "$parent" -F "$DISPATCH_FOLDER/commit-message.txt") || return 1
    git update-ref HEAD "$commit" "$parent" 2>/dev/null && return 0
    sleep 0.1
  done
  return 1
}

# A git that was cut off has left its locks. One that still runs, for another worker, is done in a moment, or tries again. The
# index of another worker is its own.
remove_stale_locks() {
  rm -f "$index" "$index.lock"
  for lock in .git/index.lock .git/HEAD.lock; do
    waited=0
    while [ -e "$lock" ] && [ "$waited" -lt 20 ]; do
      waited=$((waited + 1))
      sleep 0.25
    done
    rm -f "$lock"
  done
  find .git -maxdepth 1 -name '*.lock' ! -name 'index.*' -type f -exec rm -f {} +
  for folder in .git/refs .git/logs; do
    [ -d "$folder" ] && find "$folder" -name '*.lock' -type f -exec rm -f {} +
  done
}

# Keep what the attempt before has left, in its commits and beside them, as one commit for the next attempt to read.
keep_attempt() {
  [ -n "${DISPATCH_INTERRUPTED:-}" ] || return 0
  (
    export GIT_INDEX_FILE="$index"
    git read-tree HEAD && stage && tree=$(git write-tree) || exit 1
    [ "$tree" = "$(git rev-parse "${DISPATCH_ACCEPTED:-HEAD}^{tree}")" ] && exit 0
    commit=$(git commit-tree "$tree" -p HEAD -m "attempt $DISPATCH_INTERRUPTED of $name, which was cut off") &&
      git update-ref "refs/attempts/$name/$DISPATCH_INTERRUPTED" "$commit"
  )
  kept=$?
  rm -f "$index"
  return "$kept"
}

# Changes go to git's stash, commits to refs/quarantine/.
quarantine() {
  remove_stale_locks
  keep_attempt || return 1
  set -- .
  while IFS= read -r glob; do set -- "$@" ":(exclude,glob)$glob"; done <"$DISPATCH_FILES"
  changes=$(git status --porcelain --ignore-submodules=dirty -- "$@")
  if [ -n "$changes" ]; then
    printf '%s\n' "$changes" | cut -c4-
    { echo . && exclude_others && exclude_nested; } | git stash push --quiet --include-untracked --message "found by $name" --pathspec-from-file=- ||
      return 1
  fi
  head=$(git rev-parse HEAD)
  if [ -n "$DISPATCH_ACCEPTED" ] && [ "$head" != "$DISPATCH_ACCEPTED" ]; then
    git diff --name-only "$DISPATCH_ACCEPTED" "$head"
    git update-ref "refs/quarantine/$name" "$head" && git reset --quiet --hard "$DISPATCH_ACCEPTED" || return 1
  fi
}

case $1 in
  locks) remove_stale_locks ;;
  quarantine) quarantine ;;
  commit)
    commit
    status=$?
    rm -f "$index"
    git rev-parse HEAD
    exit "$status"
    ;;
  head) git rev-parse HEAD ;;
esac
