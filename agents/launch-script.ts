import { secretSettings } from '#host/config'
import { quoteForShell } from '#host/shell-quote.ts'

/** What a script starts: one agent with its environment, its folder and its command. */
interface LaunchScript {
  /** The comment at the top: what this script starts. */
  comment: string
  folder: string
  /** Set for the agent. */
  variables: Record<string, string>
  /** Put in front of PATH. */
  toolsFolder?: string
  /** The sandbox launcher needs Node's compile cache; the sandbox keeps that variable from the agent. */
  isSandboxed: boolean
  command: string[]
}

/** Unset for agents: secrets, dispatch's own settings, and addresses, which may contain a password. */
const withheldVariables = [...secretSettings, 'GOOGLE_GEMINI_BASE_URL', 'NTFY_SERVER', 'TMUX', 'TMUX_PANE']

/** Render the text of a launch script, with every value quoted for `sh`. A person can read it, and run it again by hand. */
export function renderLaunchScript(launch: LaunchScript): string {
  const { comment, folder, variables, toolsFolder, command } = launch
  return [
    '#!/bin/sh',
    `# ${comment} Written by dispatch.`,
    `unset ${[...withheldVariables, ...(launch.isSandboxed ? [] : ['NODE_COMPILE_CACHE'])].join(' ')}`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quoteForShell(value)}`),
    ...(toolsFolder === undefined ? [] : [`export PATH=${quoteForShell(toolsFolder)}:"$PATH"`]),
    `cd ${quoteForShell(folder)} || exit 1`,
    `exec ${command.map(quoteForShell).join(' ')}`,
    '',
  ].join('\n')
}
