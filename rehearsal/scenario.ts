/** What an agent was really sent, as far as a script may want to know. */
export interface Heard {
  /** The newest words to it: a tool's answer, a hook's reason, a prompt. */
  last: string
  /** The folder it works in. */
  folder: string
  /** How many turns it has had before this one. */
  turn: number
}

/** One turn of a model: it says something and stops, or it uses a tool and goes on. */
export type Act =
  | { say: string }
  | { bash: string }
  | { write: string; text: string }
  | { use: string; input: Record<string, unknown> }
  | { hang: true }
  | { refuse: number; kind: string; why: string; headers?: Record<string, string> }

/** A fixed turn, or one that depends on what was heard. */
export type Turn = Act | ((heard: Heard) => Act)

/** What the judge says of one clause; what it does not name is judged honestly, by the evidence in the packet. */
export interface JudgeWord {
  met: 'yes' | 'no' | 'unproven'
  why: string
}

/**
 * A rehearsal: what each model does, turn by turn. Everything else is real. To add one, put a file beside the others that
 * exports `scenario`; its name is the file's.
 */
export interface Scenario {
  /** One line for `--list`. */
  title: string
  task: string
  /** The program this scenario's product needs, such as `python3`. */
  needs?: string
  /** Settings of the session, as in `.env`. */
  settings?: Record<string, string>
  orchestrator: Turn[]
  /** By the worker's name; `*` is any other. */
  workers: Record<string, Turn[]>
  /** By round. */
  judge?: Record<string, JudgeWord>[]
  /** The states it may end in. */
  ends: string[]
  /** A command that is run in the deliverable at the end, for all to see. */
  show?: string
}

export const say = (text: string): Act => ({ say: text })
export const bash = (command: string): Act => ({ bash: command })
export const use = (tool: string, input: Record<string, unknown>): Act => ({ use: tool, input })
export const write = (file: string, text: string): Act => ({ write: file, text })

/** A heredoc that puts text into a file of the folder. */
export const put = (file: string, text: string): Act =>
  bash(`cat > ${file} <<'END_OF_FILE'\n${text.trim()}\nEND_OF_FILE`)

/** The call that starts a worker. */
export const spawn = (words: string, brief: string): Act =>
  bash(`spawn-worker ${words} <<'BRIEF'\n${brief.trim()}\nBRIEF`)

/** Several calls in one turn, one after the other in one shell. */
export const both = (...acts: Act[]): Act => bash(acts.flatMap(act => ('bash' in act ? [act.bash] : [])).join('\n'))
