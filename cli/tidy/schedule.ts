import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildChildEnvironment, buildProgramCommand, type Config } from '#host/config'
import { startDetached } from '#host/exec.ts'
import { makePrivateFolder, writeAtomic } from '#host/fs'
import { appendLog } from '#host/log-file.ts'
import { formatCount } from '#host/text.ts'
import { DAY_MS } from '#host/time.ts'
import { readPause } from '#queue'
import { formatBytes } from '../output/terminal.ts'
import { getScheduledRule, listRemovable, removeAll } from './tidy.ts'

/**
 * Tidy in a process of its own, if the last time was a day ago: for the daemon, whose look this must not delay. Not while dispatch is
 * paused, when a person may be looking at what is there. A home is tidied for the first time a day after its first daemon started.
 */
export async function startTidyOnceADay(config: Config, say: (text: string) => void): Promise<void> {
  if (config.TIDY === 'off' || readPause(config.home, new Date()) !== undefined) return
  const file = path.join(config.home, 'tidied.json')
  const last = fs.statSync(file, { throwIfNoEntry: false })
  if (last !== undefined && Math.abs(Date.now() - last.mtimeMs) < DAY_MS) return
  writeAtomic(file, `${JSON.stringify({ at: new Date().toISOString() })}\n`) // First, so that a failure is not repeated at once.
  if (last === undefined) return
  const [program = '', ...args] = buildProgramCommand('bin/dispatch')
  const env = { ...buildChildEnvironment(), DISPATCH_HOME: config.home }
  makePrivateFolder(config.logsFolder)
  const log = path.join(config.logsFolder, 'daemon.log')
  void startDetached(program, [...args, 'tidy', '--scheduled'], { env, log, isOutputLogged: false }).then(exitCode => {
    if (exitCode !== 0) say(`tidying ended with exit ${exitCode}`)
  })
}

/** What that process does: remove what the settings allow, with the lowest priority, and write into the daemon's log what it did. */
export async function tidyInBackground(config: Config): Promise<void> {
  const say = (text: string) => appendLog(config.logsFolder, 'daemon', text)
  if (config.TIDY === 'off') return
  try {
    os.setPriority(os.constants.priority.PRIORITY_LOW)
  } catch {} // It is slower for others then, and no worse.
  const { removable, problems } = await listRemovable(config, getScheduledRule(config))
  for (const problem of problems) say(`tidy: not looked at: ${problem}`)
  const results = await removeAll(removable)
  for (const { action, kind, name, reason, error } of results)
    if (action !== 'kept') say(`tidy: ${action} ${kind} ${name}: ${error ?? reason}`)
  const removed = results.filter(({ action }) => action === 'removed')
  const bytes = removed.reduce((sum, each) => sum + each.bytes, 0)
  if (removed.length > 0) say(`tidy: ${formatCount(removed.length, 'entry')} removed, ${formatBytes(bytes)}`)
}
