/** One launch of claude, as data. */
export interface ClaudeLaunch {
  program: string
  model: string
  /** The file that claude appends to its system prompt. */
  systemPromptFile: string
  settingsFile: string
  sessionId: string
  /** Continue the conversation of this session id instead of beginning one. */
  isResumed?: boolean
  tools: string[]
  /** Headless only: dollars after which claude stops by itself. */
  budgetUsd?: number | undefined
}

/**
 * The command line of an interactive claude in a terminal. `openingPrompt` starts its first turn; without one it waits at its
 * input line. Pure.
 */
export function buildInteractiveArguments(launch: ClaudeLaunch, openingPrompt?: string): string[] {
  return [...buildSharedArguments(launch), ...(openingPrompt === undefined ? [] : [openingPrompt])]
}

/** The command line of a headless claude: the brief arrives on stdin, and stdout is one JSON object a line. Pure. */
export function buildHeadlessArguments(launch: ClaudeLaunch): string[] {
  const budget = launch.budgetUsd === undefined ? [] : ['--max-budget-usd', launch.budgetUsd.toFixed(4)]
  return [...buildSharedArguments(launch), '-p', '--output-format', 'stream-json', '--verbose', ...budget]
}

/** Variables for every claude that dispatch starts, in each role. */
export const claudeVariables: Record<string, string> = {
  DISABLE_AUTOUPDATER: '1',
  CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1', // It fetches with git, even where other traffic is off.
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
  CLAUDE_CODE_SUBPROCESS_ENV_SCRUB: '0',
}

// --- internal ---

/**
 * `--setting-sources '' --strict-mcp-config`: no settings, hooks or MCP servers of the repository or the user are loaded.
 * What agents take over from the user's settings is in the settings file.
 * `dontAsk` refuses a tool that is not listed; no person is there to answer a question.
 */
function buildSharedArguments(launch: ClaudeLaunch): string[] {
  const tools = launch.tools.join(',')
  return [
    launch.program,
    ...['--model', launch.model],
    ...['--append-system-prompt-file', launch.systemPromptFile],
    ...[launch.isResumed ? '--resume' : '--session-id', launch.sessionId],
    ...['--setting-sources', '', '--strict-mcp-config'],
    ...['--settings', launch.settingsFile],
    ...['--tools', tools, '--allowedTools', tools],
    ...['--permission-mode', 'dontAsk'], // Last, because the two before it swallow any plain argument after them.
  ]
}
