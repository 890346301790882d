import path from 'node:path'
import { createTrustEntry, detectLogin, isTrusted, readClaudeConfig, readUserSettings } from '#host/claude'
import type { Config } from '#host/config'
import type { Addition } from '#host/user-config'
import { buildExternalHooks } from '../external-sessions.ts'

/** What dispatch adds to one file of the user, and why. */
interface PlannedChange {
  file: string
  reason: string
  addition: Addition
}

/** Everything that `dispatch setup` adds, and notes about what needs no change. */
export function planSetup(config: Config, { hooks, rules }: { hooks: boolean; rules: boolean }) {
  const { workspace, cloneFolder, claudeFolder } = config
  const changes: PlannedChange[] = []
  const notes: string[] = []
  const login = detectLogin(claudeFolder)
  if (login.kind === 'key')
    notes.push(
      `A key or token is in the environment, so claude uses its own configuration in ${claudeFolder} and needs no trust entry.`,
    )
  else if (isTrusted(readClaudeConfig(login.configFile), workspace))
    notes.push(`${login.configFile} already trusts ${workspace}.`)
  else
    changes.push({
      file: login.configFile,
      reason: 'claude trusts the workspace of dispatch; one entry serves every session',
      addition: [createTrustEntry(workspace)],
    })
  if (login.kind === 'own')
    notes.push('For unattended nights, `dispatch setup --token` keeps a token of claude that is valid for a year.')
  if (hooks)
    changes.push({
      file: readUserSettings().file,
      reason: 'claude sessions that dispatch did not start report when they end or wait for you',
      addition: buildExternalHooks(config),
    })
  const rulesFile = path.join(cloneFolder, 'CLAUDE.md')
  if (rules)
    changes.push({
      file: path.join(path.dirname(readUserSettings().file), 'CLAUDE.md'),
      reason: `every claude session follows the four rules in ${rulesFile}`,
      // claude follows an `@path` line, and needs a backslash before each space of the path.
      addition: { name: 'dispatch rules', lines: [`@${rulesFile.replaceAll(' ', '\\ ')}`] },
    })
  return { changes, notes }
}
