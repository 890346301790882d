import fs from 'node:fs'
import { claudeInstallHint, detectLogin, findClaude, prepareLogin, requireLogin } from '#host/claude'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { getTokenFile, requireReadableLogin } from '#host/model'
import { quoteForShell } from '#host/shell-quote.ts'
import { openTmux } from '#host/tmux'
import {
  claudeVulnerability,
  isAtLeast,
  minGitToLand,
  minVersions,
  newerGitFix,
  readVersion,
  type VersionResult,
} from '#host/versions.ts'
import { type DoctorResult, type Fix, fail, failWith, ok, warn } from './result.ts'

/** The programs that every session needs: node, git, tmux and claude. */
export async function checkPrograms(home: string): Promise<DoctorResult[]> {
  const [git, tmux] = await Promise.all([readVersion('git'), readVersion('tmux', '-V')])
  const gitFix = { ...createInstallFix('git'), mac: '`xcode-select --install`, or `brew install git`' }
  return [
    checkVersion('node', { version: process.versions.node }, createInstallFix('node')),
    checkVersion('git', git, gitFix),
    ...warnAboutLanding(git),
    checkVersion('tmux', tmux, createInstallFix('tmux')),
    ...('version' in tmux ? [await checkTmuxSocket(home)] : []),
    await checkClaude().catch(failWith('claude')),
  ]
}

/** Is claude logged in, and does it trust the workspace? Nothing is sent to its vendor. */
export async function checkLogin({ home, claudeFolder, workspace }: Config): Promise<DoctorResult> {
  const login = detectLogin(claudeFolder)
  if (login.kind === 'key') return ok('login', 'a key or token from the environment (not tried)')
  try {
    await requireLogin(login, findClaude())
    await requireReadableLogin(!fs.existsSync(getTokenFile(home)), login)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    if (error.exitCode !== exitCodes.dependency) return fail('login', error.message, error.remedy) // A missing claude has its own check.
  }
  try {
    prepareLogin(login, workspace)
    return ok('login', `your own (${login.configFile}); claude trusts the workspace`)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const isUntrusted = error.exitCode === exitCodes.login
    const why = isUntrusted ? ' Until then an orchestrator stops at "Do you trust this folder?".' : ''
    return fail('login', error.message, `${error.remedy}${why}`)
  }
}

// --- internal ---

function createInstallFix(name: string): Fix {
  return { mac: `\`brew install ${name}\``, linux: `\`apt-get install ${name}\`, or your system's own command for it` }
}

function checkVersion(name: 'node' | 'git' | 'tmux', result: VersionResult, fix: Fix): DoctorResult {
  if ('reason' in result) return fail(name, result.reason, fix)
  if (isAtLeast(result.version, minVersions[name])) return ok(name, result.version)
  return fail(name, `${result.version} is too old; dispatch needs ${minVersions[name]} or newer`, fix)
}

/** A git that is enough for sessions may be too old for landing. */
function warnAboutLanding(git: VersionResult): DoctorResult[] {
  if ('reason' in git || !isAtLeast(git.version, minVersions.git) || isAtLeast(git.version, minGitToLand)) return []
  return [
    warn('landing', `git ${git.version} does all but \`dispatch land\`, which needs ${minGitToLand}`, newerGitFix),
  ]
}

async function checkClaude(): Promise<DoctorResult> {
  const program = findClaude()
  const result = await readVersion(program)
  if ('reason' in result) return fail('claude', result.reason, claudeInstallHint)
  if (isAtLeast(result.version, minVersions.claude)) return ok('claude', `${result.version} at ${program}`)
  const message = `${result.version} is too old; dispatch needs ${minVersions.claude} or newer: ${claudeVulnerability}`
  return fail('claude', message, '`claude update`, or `npm install -g @anthropic-ai/claude-code`')
}

/** A socket may outlive its server, or belong to another version of tmux. */
async function checkTmuxSocket(home: string): Promise<DoctorResult> {
  const tmux = openTmux(home)
  const { socket } = tmux
  const { kind, message: output } = await tmux.readServerState()
  if (kind === 'running') return ok('socket', `tmux runs on socket ${socket}`)
  if (kind === 'none') return ok('socket', `no tmux server runs on socket ${socket}`)
  if (kind === 'stale')
    return warn(
      'socket',
      `tmux left a stale socket behind: ${output}`,
      'Nothing to do: the next session starts a new server. `dispatch stop --all` removes the socket',
    )
  const fix = `Another version of tmux may own the socket. Run \`dispatch stop --all\`, or \`tmux ${tmux.socketArguments.map(quoteForShell).join(' ')} kill-server\``
  return fail('socket', `tmux does not answer: ${output}`, fix)
}
