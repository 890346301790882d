import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DispatchError, exitCodes } from '../../error.ts'
import { type RunResult, runProgram } from '../../exec.ts'
import { MINUTE_MS } from '../../time.ts'
import { safeOptions } from '../git.ts'
import { formatTrust } from '../trust.ts'
import { buildUserEnvironment, runUserGit } from '../user/user-commit.ts'

/** A remote of the user's repository, with what their git would use to reach it. */
export interface Transport {
  /** The checkout whose configuration this is. */
  repository: string
  remote: string
  /** Configuration as pairs of key and value. Values may be secrets, so git gets them as variables. */
  settings: [key: string, value: string][]
  /** Folders of other users that the user trusts, as `safe.directory` has them. */
  trustedFolders: string[]
}

/**
 * Read how the user's git reaches a remote: addresses and their replacements, ssh command, proxies, certificates and credential
 * helpers, from every file that counts in this repository, also those that `includeIf` names. Exit 2 where git cannot read them.
 */
export async function readTransport(repository: string, remote: string): Promise<Transport> {
  const ran = await runUserGit(['config', '--list', '--includes', '-z'], { cwd: repository })
  if (ran.exitCode !== 0)
    throw new DispatchError(`git cannot read its configuration in ${repository}: ${ran.stderr.trim()}`, {
      exitCode: exitCodes.usage,
      remedy: 'Fix it, then run the command again.',
    })
  const entries = ran.stdout
    .split('\0')
    .filter(Boolean)
    .map((entry): [string, string] => {
      const end = entry.indexOf('\n')
      return end < 0 ? [entry, 'true'] : [entry.slice(0, end), entry.slice(end + 1)]
    })
  const trustedFolders = entries.flatMap(([key, value]) => (key === 'safe.directory' ? [value] : []))
  const settings = entries.filter(([key]) => isTransportSetting(key, remote))
  return { repository, remote, settings, trustedFolders }
}

/**
 * Run git in a repository that only dispatch writes, against the user's remote. Nothing of the user's configuration counts but what
 * leads there. It asks no question, runs no hook, and is killed after ten minutes.
 */
export async function runRemoteGit(
  gitFolder: string,
  { repository, settings, trustedFolders }: Transport,
  args: string[],
  timeoutMs = NETWORK_TIMEOUT_MS,
): Promise<RunResult> {
  const {
    GIT_ASKPASS: _git,
    SSH_ASKPASS: _ssh,
    GIT_CONFIG_PARAMETERS: _set,
    ...environment
  } = buildUserEnvironment(false)
  const all = [...settings, ...silentSettings]
  const numbered = all.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ])
  // The program that serves a folder of this machine is told by a file only which folders are trusted.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-trust-'))
  const trustFile = path.join(folder, 'config')
  fs.writeFileSync(trustFile, formatTrust(trustedFolders))
  const running = runProgram('git', [...safeOptions, '--git-dir', gitFolder, ...args], {
    cwd: repository, // An address may be a path from there.
    timeoutMs,
    env: {
      ...environment,
      LANG: 'C',
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: trustFile,
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_CONFIG_COUNT: String(all.length),
      ...Object.fromEntries(numbered),
    },
  })
  return running.finally(() => fs.rmSync(folder, { recursive: true, force: true }))
}

// --- internal ---

/** A credential helper must not ask either: a window of it would be waited for, and you may not be there. */
const silentSettings: Transport['settings'] = [['credential.interactive', 'false']]

const NETWORK_TIMEOUT_MS = 10 * MINUTE_MS

function isTransportSetting(key: string, remote: string): boolean {
  const name = `remote.${remote}.`
  if (key.startsWith(name))
    return /^(url|pushurl|proxy|proxyauthmethod|receivepack|uploadpack)$/.test(key.slice(name.length))
  return /^(url\..*\.(insteadof|pushinsteadof)|core\.(sshcommand|gitproxy)|ssh\.variant|(credential|http|https|protocol)\..*)$/s.test(
    key,
  )
}
