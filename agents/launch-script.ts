import { secretSettings } from '#host/config'
import { quoteForShell } from '#host/text.ts'
/** A script that starts one agent: its environment, its folder, its command. Everything in it is quoted for `sh`. */
export interface LaunchScript {
  /** First line's comment: what this starts. */
  comment: string
  folder: string
  /** Set for the agent; anything of ours that it must not see is unset. */
  variables: Record<string, string>
  /** Put before PATH. */
  toolsFolder?: string
  /** A door of ours opens its sandbox, and is faster by its compiled sources; they do not reach the agent. */
  isSandboxed: boolean
  command: string[]
}

const compileCacheVariable = 'NODE_COMPILE_CACHE'

/** What is the judge's, the notifier's or our own alone. An address may hold a password. */
const withheldVariables = [
  ...secretSettings,
  'GOOGLE_GEMINI_BASE_URL',
  'NTFY_SERVER',
  compileCacheVariable,
  'TMUX',
  'TMUX_PANE',
]

/** The text of a launch script. A person may read it, and run it again by hand. */
export function renderLaunchScript({
  comment,
  folder,
  variables,
  toolsFolder,
  isSandboxed,
  command,
}: LaunchScript): string {
  return [
    '#!/bin/sh',
    `# ${comment} Written by dispatch.`,
    `unset ${withheldVariables.filter(name => !isSandboxed || name !== compileCacheVariable).join(' ')}`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quoteForShell(value)}`),
    ...(toolsFolder === undefined ? [] : [`export PATH=${quoteForShell(toolsFolder)}:"$PATH"`]),
    `cd ${quoteForShell(folder)} || exit 1`,
    `exec ${command.map(quoteForShell).join(' ')}`,
    '',
  ].join('\n')
}
