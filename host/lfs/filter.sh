#!/bin/sh
# The filter of Git LFS in the repositories that dispatch makes. Git LFS itself is not run, because a repository can name
# programs for it.
#   clean   content to pointer; the content goes to lfs/objects of the repository
#   smudge  pointer to content, if it is there
set -eu
version=https://git-lfs.github.com/spec/v1
objects=$(git rev-parse --git-path lfs/objects)
mkdir -p "$objects" 2>/dev/null || :
input=$(mktemp "$objects/input-XXXXXX" 2>/dev/null || mktemp)
trap 'rm -f "$input"' EXIT
cat >"$input"
size=$(wc -c <"$input" | tr -d ' ')

# object OID: its path
object() { printf '%s/%.2s/%.2s/%s' "$objects" "$1" "${1#??}" "$1"; }

if [ "$size" -lt 1024 ] && [ "$(head -n 1 "$input" | tr -d '\0')" = "version $version" ]; then
  oid=$(sed -n 's/^oid sha256:\([0-9a-f]\{64\}\)$/\1/p' "$input")
  if [ "$1" = smudge ] && [ -n "$oid" ] && [ -f "$(object "$oid")" ]; then cat "$(object "$oid")"; else cat "$input"; fi
elif [ "$1" = smudge ] || [ "$size" = 0 ]; then
  cat "$input"
else
  oid=$( (sha256sum "$input" 2>/dev/null || shasum -a 256 "$input") | sed 's/^\\*\([0-9a-f]\{64\}\).*/\1/')
  pointer=$(printf 'version %s\noid sha256:%s\nsize %s' "$version" "$oid" "$size")
  # A pointer that git has is one of the base, and its content need not be kept again.
  if ! git cat-file -e "$(printf '%s\n' "$pointer" | git hash-object --stdin)" 2>/dev/null; then
    file=$(object "$oid")
    mkdir -p "${file%/*}" && mv -f "$input" "$file"
  fi
  printf '%s\n' "$pointer"
fi
