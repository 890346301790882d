/** One command as a shell sees it. */
export interface Known {
  name: string
  summary: string
  kinds: Kind[]
  options: { name: string; value: string | undefined; about: string }[]
}

/** What stands at one place of the line: `sid`, `who`, `scenario` … */
export interface Kind {
  name: string
  /** Also at every later place. */
  repeats: boolean
}

export type Shell = 'bash' | 'zsh' | 'fish'

/** The script of each shell, made of the commands and of what a task takes. */
export const scripts: Record<Shell, (commands: Known[], task: Known) => string> = { bash, zsh, fish }

/** The kinds in `[sid] [who]`, `<sid…>`. Pure. */
export function kindsIn(words: string): Kind[] {
  return [...words.matchAll(/[<[]([a-z]+)(…?)[\]>]/g)].map(([, name = '', more]) => ({ name, repeats: more === '…' }))
}

// --- what is offered where ---

/** What a shell asks to know the words of a kind: a command of ours, or the words themselves. Undefined: anything goes. */
function offers(command: Known, { name }: Kind, commands: Known[]): { live: string } | { words: string[] } | undefined {
  if (name === 'sid') return { live: 'completions sids' }
  if (name === 'who' || name === 'window') return { live: 'completions who:$first' }
  if (name === 'command') return { words: [...commands.map(one => one.name), 'task'] }
  if (name === 'shell') return { words: Object.keys(scripts) }
  if (name === 'what') return { words: ['setup', 'test', 'log'] }
  return command.options.some(option => option.name === 'list') ? { live: `${command.name} --list` } : undefined
}

/** What an option's value is, for a shell that knows files and folders. */
function valueKind(value: string): 'file' | 'folder' | 'text' {
  return value === 'FILE' ? 'file' : value === 'DIR' ? 'folder' : 'text'
}

const withValue = ({ options }: Known) =>
  options.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, is: valueKind(value) }]))

const places = (commands: Known[]) =>
  [...commands, help].flatMap(command =>
    command.kinds.map((kind, at) => ({ command, kind, at, offer: offers(command, kind, commands) })),
  )

/** `dispatch help <command>`, which is in no table. */
const help: Known = { name: 'help', summary: '', kinds: [{ name: 'command', repeats: false }], options: [] }

const flags = (command: Known) => command.options.map(({ name }) => `--${name}`)

// --- bash, also the 3.2 of macOS ---

/** No `compgen -W`: it would carry out what stands in its words. */
function bash(commands: Known[], task: Known): string {
  const all = [...commands, task]
  const values = all.flatMap(command =>
    withValue(command).map(({ name, is }) => `    '${command.name} --${name}') value=${is} ;;`),
  )
  const offered = places(commands).map(({ command, kind, at, offer }) => {
    const place = kind.repeats ? `'${command.name} '*` : `'${command.name} ${at}'`
    if (offer === undefined) return ''
    return 'live' in offer
      ? `    ${place}) _dispatch_offer < <("\${COMP_WORDS[0]}" ${quoted(offer.live)} 2>/dev/null) ;;\n`
      : `    ${place}) _dispatch_offer <<<$'${offer.words.join('\\n')}' ;;\n`
  })
  return `# Completion of dispatch for bash, made by: dispatch completions bash

# Those of the lines that begin with the word being typed; or else the ids whose last letters do.
_dispatch_offer() {
  local line lines=()
  while read -r line _; do lines+=("$line"); done
  for line in "\${lines[@]}"; do case $line in "$word"*) COMPREPLY+=("$line") ;; esac; done
  [ "\${#COMPREPLY[@]}" -gt 0 ] && return
  for line in "\${lines[@]}"; do case \${line##*-} in "$word"*) COMPREPLY+=("$line") ;; esac; done
}

_dispatch_paths() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$1" -- "$word")
  compopt -o filenames 2>/dev/null
}

# What the value of this option is: file, folder or text; empty where it takes none.
_dispatch_value() {
  value=''
  case "$name $1" in
${values.join('\n')}
  esac
}

_dispatch() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} name=\${COMP_WORDS[1]}
  local value='' first='' options='' i at=0
  COMPREPLY=()
  [ "$word" = = ] && word=''
  [ "$before" = = ] && before=\${COMP_WORDS[COMP_CWORD-2]}
  case $name in
${[...commands, help].map(command => `    ${command.name}) options='${flags(command).join(' ')}' ;;`).join('\n')}
    *) name=task options='${flags(task).join(' ')}' ;;
  esac
  if [ "$COMP_CWORD" -gt 1 ]; then
    _dispatch_value "$before"
    case $value in
      file) _dispatch_paths -f; return ;;
      folder) _dispatch_paths -d; return ;;
      text) return ;;
    esac
  fi
  case $word in
    -*) _dispatch_offer <<<"\${options// /$'\\n'}"; return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    _dispatch_offer <<<$'${commands.map(({ name }) => name).join('\\n')}'
    return
  fi
  for ((i = 2; i < COMP_CWORD; i++)); do
    [ "\${COMP_WORDS[i-1]}" = = ] && continue
    _dispatch_value "\${COMP_WORDS[i-1]}"
    case "$value:\${COMP_WORDS[i]}" in
      :-* | := | [a-z]*:*) ;;
      *) [ "$at" -eq 0 ] && first=\${COMP_WORDS[i]}; at=$((at + 1)) ;;
    esac
  done
  case "$name $at" in
${offered.join('')}  esac
}

complete -F _dispatch dispatch
`
}

// --- zsh ---

function zsh(commands: Known[], task: Known): string {
  const values = [...commands, task].flatMap(command =>
    withValue(command).map(({ name, is }) => `    '${command.name} --${name}') value=${is} ;;`),
  )
  const optionsOf = (command: Known) =>
    `options=(${command.options.map(({ name, about }) => single(`--${name}:${about}`)).join(' ')})`
  const offered = places(commands).map(({ command, kind, at, offer }) => {
    const place = kind.repeats ? `'${command.name} '*` : `'${command.name} ${at}'`
    if (offer === undefined) return ''
    return 'live' in offer
      ? `    ${place}) found=(\${\${(f)"$("\${words[1]}" ${quoted(offer.live)} 2>/dev/null)"}%% *}) ;;\n`
      : `    ${place}) found=(${offer.words.join(' ')}) ;;\n`
  })
  return `#compdef dispatch
# Completion of dispatch for zsh, made by: dispatch completions zsh

# What the value of this option is: file, folder or text; empty where it takes none.
_dispatch_value() {
  value=''
  case "$name $1" in
${values.join('\n')}
  esac
}

_dispatch() {
  local name="\${words[2]}" value='' first='' i at=0
  local -a options found
  case $name in
${[...commands, help].map(command => `    ${command.name}) ${optionsOf(command)} ;;`).join('\n')}
    *) name=task; ${optionsOf(task)} ;;
  esac
  if (( CURRENT > 2 )); then
    _dispatch_value "\${words[CURRENT-1]}"
    case $value in
      file) _files; return ;;
      folder) _files -/; return ;;
      text) return 1 ;;
    esac
  fi
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe -o option options
    return
  fi
  if (( CURRENT == 2 )); then
    found=(${commands.map(({ name, summary }) => single(`${name}:${summary}`)).join(' ')})
    _describe command found
    return
  fi
  for (( i = 3; i < CURRENT; i++ )); do
    _dispatch_value "\${words[i-1]}"
    case "$value:\${words[i]}" in
      :-* | [a-z]*:*) ;;
      *) [[ $at == 0 ]] && first="\${words[i]}"; at=$(( at + 1 )) ;;
    esac
  done
  case "$name $at" in
${offered.join('')}  esac
  (( \${#found} )) && compadd -V words -a found
}

if [ "\${funcstack[1]}" = _dispatch ]; then _dispatch "$@"; else compdef _dispatch dispatch; fi
`
}

// --- fish ---

function fish(commands: Known[], task: Known): string {
  const option = (on: string, { name, value, about }: Known['options'][number]) => {
    const takes =
      value === undefined
        ? ''
        : { file: ' -r -F', folder: ` -x -a '(__fish_complete_directories)'`, text: ' -x' }[valueKind(value)]
    return `complete -c dispatch -n ${single(on)} -l ${name}${takes} -d ${inFish(about)}`
  }
  const offered = places(commands).flatMap(({ command, kind, at, offer }) => {
    if (offer === undefined) return []
    const words =
      'live' in offer
        ? `(dispatch ${offer.live.replace('$first', '(__dispatch_given)[1]')} 2>/dev/null | string replace -r ' .*' '')`
        : offer.words.join(' ')
    const place = kind.repeats ? '' : `; and test (count (__dispatch_given)) -eq ${at}`
    return [`complete -c dispatch -n '__dispatch_on ${command.name}${place}' -a ${single(words)}`]
  })
  const names = [...commands, help].map(({ name }) => name).join(' ')
  return `# Completion of dispatch for fish, made by: dispatch completions fish

# Is the command one of these?
function __dispatch_on
    set -l words (commandline -opc)
    test (count $words) -ge 2; and contains -- $words[2] $argv
end

# The words behind the command, options left out.
function __dispatch_given
    set -l words (commandline -opc)
    set -e words[1]
    set -e words[1]
    string match -v -- '-*' $words
end

complete -c dispatch -f
${commands.map(({ name, summary }) => `complete -c dispatch -n 'test (count (commandline -opc)) -eq 1' -a ${name} -d ${inFish(summary)}`).join('\n')}
${task.options.map(one => option(`not __dispatch_on ${names}`, one)).join('\n')}
${commands.flatMap(command => command.options.map(one => option(`__dispatch_on ${command.name}`, one))).join('\n')}
${offered.join('\n')}
`
}

// --- quoting ---

/** The words of a command of ours; what stands for something typed is kept together. */
function quoted(live: string): string {
  return live.replace(/\S*\$first/, '"$&"')
}

/** In single quotes, for bash and zsh. */
function single(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** In single quotes, for fish. */
function inFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
