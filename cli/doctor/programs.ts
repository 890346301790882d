import { claudeInstallHint, detectLogin, findClaude, prepareLogin, requireLogin } from '#host/claude'
import { DispatchError, exitCodes } from '#host/error.ts'
import { openTmux } from '#host/tmux'
import { claudeVulnerability, isAtLeast, minVersions, readVersion, type VersionResult } from '#host/versions.ts'
import { type DoctorResult, type Fix, fail, ok, warn } from './result.ts'
/** The programs that no session can do without. */
export async function checkPrograms(home: string): Promise<DoctorResult[]> {
  const [git, tmux] = await Promise.all([readVersion('git'), readVersion('tmux', '-V')])
  return [
    checkVersion('node', { version: process.versions.node }, createInstallFix('node')),
    checkVersion('git', git, {
      mac: '`xcode-select --install`, or `brew install git`',
      linux: createInstallFix('git').linux,
    }),
    checkVersion('tmux', tmux, createInstallFix('tmux')),
    ...('version' in tmux ? [await checkTmuxSocket(home)] : []),
    await checkClaude(),
  ]
}

/** Is claude logged in, as far as can be told without asking its vendor? */
export async function checkLogin(privateConfig: string, workspace: string): Promise<DoctorResult> {
  const way = detectLogin(privateConfig)
  if (way.kind === 'key')
    return ok('login', 'a key or token from the environment; whether it is accepted was not tried')
  try {
    await requireLogin(way, findClaude())
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    if (error.exitCode !== exitCodes.dependency) return fail('login', error.message, error.remedy) // A missing claude is another symptom.
  }
  try {
    prepareLogin(way, workspace)
    return ok('login', `your own (${way.configFile}), and claude trusts our workspace`)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const then = 'Without it an orchestrator stalls on "Do you trust this folder?".'
    return fail('login', error.message, `${error.remedy}${error.exitCode === exitCodes.login ? ` ${then}` : ''}`)
  }
}

// --- internal ---

function createInstallFix(name: string): Fix {
  return { mac: `\`brew install ${name}\``, linux: `\`apt-get install ${name}\`, or what your system has in its place` }
}

function checkVersion(name: 'node' | 'git' | 'tmux', found: VersionResult, fix: Fix): DoctorResult {
  if ('reason' in found) return fail(name, found.reason, fix)
  if (isAtLeast(found.version, minVersions[name])) return ok(name, found.version)
  return fail(name, `${found.version} is too old: ${minVersions[name]} or newer is needed`, fix)
}

async function checkClaude(): Promise<DoctorResult> {
  try {
    const program = findClaude()
    const found = await readVersion(program)
    if ('reason' in found) return fail('claude', found.reason, claudeInstallHint)
    if (isAtLeast(found.version, minVersions.claude)) return ok('claude', `${found.version} at ${program}`)
    const update = '`claude update`, or `npm install -g @anthropic-ai/claude-code`'
    return fail(
      'claude',
      `${found.version} is too old, ${minVersions.claude} is needed: ${claudeVulnerability}`,
      update,
    )
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return fail('claude', error.message, error.remedy)
  }
}

/** A socket whose server is gone, or is of another version, is said in tmux's own words. */
async function checkTmuxSocket(home: string): Promise<DoctorResult> {
  const { socket: name, readServerState } = openTmux(home)
  const { kind, words } = await readServerState()
  if (kind === 'running') return ok('socket', `a tmux of our own runs on socket ${name}`)
  if (kind === 'none') return ok('socket', `none is open (tmux socket ${name})`)
  if (kind === 'stale')
    return warn(
      'socket',
      `tmux left a dead socket behind: ${words}`,
      `Nothing to do: the next dispatch starts a new server. To tidy up: \`dispatch stop --all\``,
    )
  return fail('socket', `tmux does not answer: ${words}`, {
    mac: `A server of another tmux version may hold the socket: \`dispatch stop --all\`, or \`tmux -L ${name} kill-server\``,
    linux: `A server of another tmux version may hold the socket: \`dispatch stop --all\`, or \`tmux -L ${name} kill-server\``,
  })
}
