# Tab completion of dispatch for bash (3.2 and newer), printed by `dispatch completions bash`.
# dispatch gets the typed words as arguments, and nothing evaluates them: so no eval, and no compgen -W.
_dispatch() {
  local word=${COMP_WORDS[COMP_CWORD]} paths='' line
  COMPREPLY=()
  while IFS=$'\t' read -r line _; do
    case $line in
      :file) paths=-f ;;
      :folder) paths=-d ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done < <("${COMP_WORDS[0]}" completions -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [ -n "$paths" ] || return 0
  [ "$word" != = ] || word=''
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$paths" -- "$word")
  compopt -o filenames 2>/dev/null
}
complete -F _dispatch dispatch
