import os from 'node:os'

/** One pane of a window, as tmux reports it. */
export interface TmuxPane {
  session: string
  window: string
  pid: number
  isDead: boolean
  /**
   * How its process ended, 128 and the number of a signal as in a shell; undefined while it lives, while tmux has not asked the
   * system yet, and after a signal where tmux is older than 3.3.
   */
  exitCode: number | undefined
}

/** A session, by its whole name: without `=` tmux would accept a prefix. Pure. */
export function formatSessionTarget(session: string): string {
  return `=${session}`
}

/** A window of a session, by the whole name of both. Pure. */
export function formatWindowTarget(session: string, window: string): string {
  return `=${session}:=${window}`
}

/** The argv of several tmux commands, which run in order and stop at the first that fails. Pure. */
export function joinCommands(commands: string[][]): string[] {
  return commands.flatMap((command, index) => (index === 0 ? command : [';', ...command]))
}

/**
 * The commands that open a detached session of 200x50 with these windows; `command` is the argv of each. tmux copies
 * `variableNames` from the environment of the client to the windows (`update-environment`), and `firstWindowNames` to the
 * first window only: the session forgets them before another window opens. Pure.
 */
export function buildSessionCommands(
  session: string,
  windows: [first: NewWindow, ...others: NewWindow[]],
  variableNames: string[],
  firstWindowNames: string[] = [],
): string[][] {
  const [first, ...others] = windows
  const firstOnly = firstWindowNames.filter(name => !variableNames.includes(name))
  const setNames = (names: string[]) => ['set-option', '-g', 'update-environment', names.join(' ')]
  return [
    ['start-server'],
    ['set-option', '-g', 'remain-on-exit', 'on'],
    ['set-option', '-g', 'history-limit', String(HISTORY_LINES)],
    ['set-option', '-g', 'mouse', 'on'], // So that the wheel scrolls.
    setNames([...variableNames, ...firstOnly]),
    ['new-session', '-d', '-s', session, '-x', '200', '-y', '50', '-n', first.name, ...first.command],
    ...firstOnly.map(name => ['set-environment', '-t', formatSessionTarget(session), '-u', name]),
    ...(firstOnly.length > 0 ? [setNames(variableNames)] : []),
    ...others.map(window => buildWindowCommand(session, window)),
    ['set-option', '-s', 'exit-empty', 'on'],
  ]
}

/** A window to open: its name, and the argv that runs in it. */
interface NewWindow {
  name: string
  command: string[]
}

/** The command that opens a window behind the others of a session. Pure. */
export function buildWindowCommand(session: string, { name, command }: NewWindow, options: string[] = []): string[] {
  return ['new-window', '-d', ...options, '-t', `${formatSessionTarget(session)}:`, '-n', name, ...command]
}

/** The format that `parsePanes` reads. Blanks, because tmux prints a tab as `_` where the locale is C. */
export const PANE_FORMAT =
  '#{session_name} #{pane_pid} #{pane_dead} #{pane_dead_status} #{pane_dead_signal} #{window_name}'

/** The lines of `list-panes` in that format. A window name may contain blanks, so it comes last. Pure. */
export function parsePanes(text: string): TmuxPane[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [session = '', pid = '', dead = '', code = '', signal = '', ...window] = line.split(' ')
      const exitCode = code !== '' ? Number(code) : signal !== '' ? 128 + parseSignal(signal) : undefined
      return { session, window: window.join(' '), pid: Number(pid), isDead: dead === '1', exitCode }
    })
}

/**
 * The bytes of one bracketed paste, as a terminal sends them; line breaks become returns. The brackets are part of the
 * bytes because tmux leaves them out while a person scrolls in that window. Throws for text with an escape character,
 * which could end the paste. Pure.
 */
export function encodePaste(text: string): string {
  if (text.includes('\u001b')) throw new Error('a text with an escape character cannot be pasted')
  return `\u001b[200~${text.replace(/\r?\n/g, '\r')}\u001b[201~`
}

// --- internal ---

const HISTORY_LINES = 20_000

/** tmux writes a signal as its number, or where the system has names for them as `kill`. */
function parseSignal(text: string): number {
  return os.constants.signals[`SIG${text.toUpperCase()}` as NodeJS.Signals] ?? Number(text)
}
