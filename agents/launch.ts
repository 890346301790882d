import { secretSettings, shellWord } from '../host/index.ts'

/** A script that starts one agent: its environment, its folder, its command. Everything in it is quoted for `sh`. */
export interface Script {
  /** First line's comment: what this starts. */
  about: string
  folder: string
  /** Set for the agent; anything of ours that it must not see is unset. */
  variables: Record<string, string>
  /** Put before PATH. */
  tools?: string
  /** A door of ours opens its sandbox, and is faster by its compiled sources; they do not reach the agent. */
  isEnclosed: boolean
  command: string[]
}

const compiled = 'NODE_COMPILE_CACHE'

/** What is the judge's, the notifier's or our own alone. An address may hold a password. */
const ours = [...secretSettings, 'GOOGLE_GEMINI_BASE_URL', 'NTFY_SERVER', compiled, 'TMUX', 'TMUX_PANE']

/** The text of a launch script. A person may read it, and run it again by hand. */
export function launchScript({ about, folder, variables, tools, isEnclosed, command }: Script): string {
  return [
    '#!/bin/sh',
    `# ${about} Written by dispatch.`,
    `unset ${ours.filter(name => !isEnclosed || name !== compiled).join(' ')}`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    ...(tools === undefined ? [] : [`export PATH=${shellWord(tools)}:"$PATH"`]),
    `cd ${shellWord(folder)} || exit 1`,
    `exec ${command.map(shellWord).join(' ')}`,
    '',
  ].join('\n')
}
