#compdef dispatch
# Tab completion of dispatch for zsh, printed by `dispatch completions zsh`.
# dispatch gets the typed words as arguments, and nothing evaluates them.
_dispatch() {
  local line
  local -a found
  for line in "${(@f)$("${words[1]}" completions -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :file) compset -P '--[a-z-]#='; _files; return ;;
      :folder) compset -P '--[a-z-]#='; _files -/; return ;;
      ?*) found+=("${line/$'\t'/:}") ;;
    esac
  done
  # -U: the last letters of an id find it, too.
  _describe -V dispatch found -U
}
if [ "${funcstack[1]}" = _dispatch ]; then _dispatch "$@"; else compdef _dispatch dispatch; fi
