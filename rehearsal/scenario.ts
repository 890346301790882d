/** What an agent was sent before this turn, as far as a script may need it. */
export interface TurnContext {
  /** The newest text: the result of a tool, the reason of a hook, or a prompt. */
  lastText: string
  /** The folder that the agent works in. */
  folder: string
  /** The task of its session, for an orchestrator; empty for a worker. */
  task: string
  /** What came of the session before it at the same task, for an orchestrator; empty for a first one. */
  earlier: string
  /** How many turns the agent has had before this one. */
  turnIndex: number
}

/** One turn of a model: it says something and stops, or it uses a tool and continues. */
export type ModelAction =
  | { say: string }
  | { use: string; input: Record<string, unknown> }
  | { hang: true }
  | { refuse: number; kind: string; reason: string; headers?: Record<string, string> }

/** A fixed turn, or one that depends on what the agent was sent. */
export type ScriptedTurn = ModelAction | ((context: TurnContext) => ModelAction)

/** The judge's answer to one clause. Clauses without one are judged honestly, by the evidence in the packet. */
export interface ScriptedAnswer {
  met: 'yes' | 'no' | 'unproven'
  reason: string
}

/** One request to the judge's vendor. `count` is 1 for the first of its kind: a packet, or the word that is asked at the start. */
export interface JudgeRequest {
  model: string
  isGreeting: boolean
  count: number
}

/** What the judge's vendor answers in place of a reply, as Google's servers word it, or the model that it names in its reply. */
export type VendorAnswer = { status: number; body: object; headers?: Record<string, string> } | { modelVersion: string }

/** Where a person acts: a home of its own, with models that are scripted. */
export interface Stage {
  /** Contains DISPATCH_HOME as `dispatch`. */
  home: string
  environment: Record<string, string>
  /** Show a line. */
  say(text: string): void
  /** Fill the disk of the home, and free it again; undefined where that cannot be done. */
  disk?: { fill(): Promise<void>; free(): Promise<void> } | undefined
}

/** What each model does, turn by turn. Everything else is real. The scenario's name is the name of its file. */
export interface Scenario {
  /** One line for `--list`. */
  title: string
  task: string
  /** The program that the product of this scenario needs, such as `python3`. */
  requiredProgram?: string
  /** Settings of the session, as in `.env`. */
  settings?: Record<string, string>
  orchestrator: ScriptedTurn[]
  /** By the worker's name; `*` is any other. */
  workers: Record<string, ScriptedTurn[]>
  /** The agent that is asked how an issue could be split. */
  splitter?: ScriptedTurn[]
  /** By round. */
  judge?: Record<string, ScriptedAnswer>[]
  /** Nothing: the judge replies. */
  vendor?(request: JudgeRequest): VendorAnswer | undefined
  /** The states that the session may end in. */
  endStates: string[]
  /** What a person does, where it is more than one `dispatch "task"`. Returns whether everything ended as it should. */
  play?(stage: Stage): Promise<boolean>
  /** A command that is run in `outputs/` at the end, with its output shown. */
  finalCommand?: string
}

export const say = (text: string): ModelAction => ({ say: text })
export const use = (tool: string, input: Record<string, unknown>): ModelAction => ({ use: tool, input })
export const bash = (command: string): ModelAction => use('Bash', { command, description: 'as scripted' })
export const write = (file: string, text: string): ModelAction => use('Write', { file_path: file, content: text })

/** Write a file in the agent's folder, with a heredoc. */
export const put = (file: string, text: string): ModelAction =>
  bash(`cat > ${file} <<'END_OF_FILE'\n${text.trim()}\nEND_OF_FILE`)

/** Start a worker: `spawn('code --name fib --clauses C1', 'Write fib.py.')`. */
export const spawn = (options: string, brief: string): ModelAction =>
  bash(`spawn-worker ${options} <<'BRIEF'\n${brief.trim()}\nBRIEF`)

/** Several commands in one turn, one after the other in one shell. */
export const combineCommands = (...actions: ModelAction[]): ModelAction =>
  bash(actions.flatMap(action => ('use' in action ? [action.input['command']] : [])).join('\n'))
