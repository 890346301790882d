/** What an agent was really sent, as far as a script may want to know. */
export interface TurnContext {
  /** The newest words to it: a tool's answer, a hook's reason, a prompt. */
  lastText: string
  /** The folder it works in. */
  folder: string
  /** How many turns it has had before this one. */
  turnIndex: number
}

/** One turn of a model: it says something and stops, or it uses a tool and goes on. */
export type ModelAction =
  | { say: string }
  | { bash: string }
  | { write: string; text: string }
  | { use: string; input: Record<string, unknown> }
  | { hang: true }
  | { refuse: number; kind: string; reason: string; headers?: Record<string, string> }

/** A fixed turn, or one that depends on what was heard. */
export type ScriptedTurn = ModelAction | ((heard: TurnContext) => ModelAction)

/** What the judge says of one clause; what it does not name is judged honestly, by the evidence in the packet. */
export interface ScriptedAnswer {
  met: 'yes' | 'no' | 'unproven'
  reason: string
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
  requiredProgram?: string
  /** Settings of the session, as in `.env`. */
  settings?: Record<string, string>
  orchestrator: ScriptedTurn[]
  /** By the worker's name; `*` is any other. */
  workers: Record<string, ScriptedTurn[]>
  /** By round. */
  judge?: Record<string, ScriptedAnswer>[]
  /** The states it may end in. */
  endStates: string[]
  /** A command that is run in the deliverable at the end, for all to see. */
  shownFile?: string
}

export const say = (text: string): ModelAction => ({ say: text })
export const bash = (command: string): ModelAction => ({ bash: command })
export const use = (tool: string, input: Record<string, unknown>): ModelAction => ({ use: tool, input })
export const write = (file: string, text: string): ModelAction => ({ write: file, text })

/** A heredoc that puts text into a file of the folder. */
export const put = (file: string, text: string): ModelAction =>
  bash(`cat > ${file} <<'END_OF_FILE'\n${text.trim()}\nEND_OF_FILE`)

/** The call that starts a worker. */
export const spawn = (words: string, brief: string): ModelAction =>
  bash(`spawn-worker ${words} <<'BRIEF'\n${brief.trim()}\nBRIEF`)

/** Several calls in one turn, one after the other in one shell. */
export const combineCommands = (...acts: ModelAction[]): ModelAction =>
  bash(acts.flatMap(act => ('bash' in act ? [act.bash] : [])).join('\n'))
