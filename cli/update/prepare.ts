import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildFolder, type Config, isBuildCurrent, pickVariables } from '#host/config'
import { createInterruptError, DispatchError, exitCodes } from '#host/error.ts'
import { type RunResult, runProgram } from '#host/exec.ts'
import { deleteFolder, readIfPresent } from '#host/fs'
import { appendLog } from '#host/log-file.ts'
import { killProcessTree } from '#host/process'
import { sanitize } from '#host/text.ts'
import { MINUTE_MS } from '#host/time.ts'
import { askVersion, readHome } from './read-home.ts'

/** What a step of an update needs: how it tells the person, and what ends it. */
export interface Steps {
  say: (text: string) => void
  end: AbortSignal
}

/** Install the dependencies of the code in a folder, and build it. Exit 6 with the end of the output if that fails. */
export async function installDependencies(folder: string, config: Config, { say, end }: Steps): Promise<void> {
  // `npm pack` leaves the lock file out.
  const isLocked = ['package-lock.json', 'npm-shrinkwrap.json'].some(name => fs.existsSync(path.join(folder, name)))
  const command = isLocked ? ['ci'] : ['install', '--no-package-lock']
  say(`installing its dependencies: npm ${command[0]}${isLocked ? '' : ', because it has no lock file'}`)
  const ran = await runProgram('npm', [...command, '--include=dev', '--no-audit', '--no-fund'], {
    cwd: folder,
    timeoutMs: INSTALL_TIMEOUT_MS,
    maxOutputBytes: MAX_LOGGED_BYTES,
    keepsEnd: true,
    end,
  })
  requireSuccess(ran, `npm ${command[0]}`, config, end)
  if (fs.existsSync(path.join(folder, buildFolder, 'dispatch.js')) && isBuildCurrent(folder)) return
  throw createStepError('npm has installed it, but it is not built', cutTail(ran), config)
}

/** Play a session with the code in a folder, in a home of its own: everything is real but the models. Exit 6 if it does not pass. */
export async function rehearseVersion(
  folder: string,
  stage: string,
  config: Config,
  { say, end }: Steps,
): Promise<void> {
  say('rehearsing with it: a session with scripted models, in a home of its own')
  const temp = fs.mkdtempSync(path.join(os.tmpdir(), TEMP_NAME))
  fs.writeFileSync(path.join(stage, TEMP_RECORD), temp)
  const ran = await runProgram('/bin/sh', [path.join(folder, 'bin/dispatch'), 'rehearse'], {
    cwd: temp,
    env: { ...pickVariables(inheritedVariables), TMPDIR: temp, HOME: temp, DISPATCH_HOME: path.join(temp, 'home') },
    timeoutMs: REHEARSAL_TIMEOUT_MS,
    maxOutputBytes: MAX_LOGGED_BYTES,
    keepsEnd: true,
    end,
  })
  if (ran.exitCode === 0 || end.aborted) deleteFolder(temp)
  fs.rmSync(path.join(stage, TEMP_RECORD)) // After a failure it stays, to be looked at.
  requireSuccess(ran, 'the rehearsal', config, end)
}

/**
 * Remove what an update that was cut off has left: the folder in which it prepared a version, and the home of its rehearsal with the
 * processes there.
 */
export async function removeStage(stage: string): Promise<void> {
  const temp = readIfPresent(path.join(stage, TEMP_RECORD)) ?? ''
  if (temp.startsWith(path.join(os.tmpdir(), TEMP_NAME))) {
    await killProcessTree(0, `TMPDIR=${temp}`)
    tryToDelete(temp)
  }
  tryToDelete(stage)
}

/** Have the code in a folder read this home, and compare. Exit 6 if it reads less than this dispatch does. */
export async function requireReadable(folder: string, { say, end }: Steps): Promise<void> {
  say('reading this home with it')
  const [now, then] = [await readHome(), await askVersion(folder, end)]
  const lost = now.sessions.filter(id => !then.sessions.includes(id) || then.readOnly.includes(id))
  const problems = then.problems.filter(problem => !now.problems.includes(problem))
  if (lost.length + problems.length === 0) return
  throw new DispatchError(
    `the new version cannot read all of this home: ${[...problems, ...lost].slice(0, MAX_NAMED_COUNT).join('; ')}`,
    {
      exitCode: exitCodes.dependency,
      remedy: 'Nothing was changed. Please report it.',
    },
  )
}

/** Exit 130 if the person has ended the update. */
export function requireGoing(end: AbortSignal): void {
  if (end.aborted) throw createInterruptError()
}

// --- internal ---

/** An npm that has outlived its update may still write there. Then the next update removes it. */
function tryToDelete(folder: string): void {
  try {
    deleteFolder(folder)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
  }
}

const INSTALL_TIMEOUT_MS = 30 * MINUTE_MS
const REHEARSAL_TIMEOUT_MS = 10 * MINUTE_MS
const MAX_LOGGED_BYTES = 1 << 20
const MAX_NAMED_COUNT = 10
const SHOWN_LINES = 12

const TEMP_NAME = 'dispatch-update-'
const TEMP_RECORD = 'temp-folder'

/** It brings its own settings, and no key of the user. */
const inheritedVariables = ['PATH', 'TERM', 'LANG', 'LC_ALL', 'USER', 'LOGNAME', 'SHELL']

function requireSuccess(ran: RunResult, what: string, config: Config, end: AbortSignal): void {
  appendLog(config.logsFolder, 'update', `${what} ended with ${describeEnd(ran)}\n${ran.stdout}${ran.stderr}`)
  requireGoing(end)
  if (ran.exitCode !== 0) throw createStepError(`${what} failed: ${describeEnd(ran)}`, cutTail(ran), config)
}

function describeEnd(ran: RunResult): string {
  if (ran.startError) return `it does not start (${ran.startError})`
  return ran.timedOut ? 'it ran out of time' : `exit ${ran.exitCode ?? ran.signal}`
}

function cutTail({ stdout, stderr }: RunResult): string {
  const lines = `${stdout}${stderr}`.trim().split('\n').slice(-SHOWN_LINES)
  return lines.map(line => `\n  | ${sanitize(line)}`).join('')
}

function createStepError(message: string, output: string, { logsFolder }: Config): DispatchError {
  return new DispatchError(`${message}${output}`, {
    exitCode: exitCodes.dependency,
    remedy: `Nothing was changed: the installed version goes on. All of the output: ${path.join(logsFolder, 'update.log')}`,
  })
}
