import {
  claudeHole,
  claudeInstall,
  DispatchError,
  exits,
  type Found,
  findClaude,
  isAtLeast,
  loginOf,
  oldest,
  prepareLogin,
  requireLogin,
  tmuxOf,
  versionOf,
} from '../../host/index.ts'
import { bad, type Fix, good, type Symptom, weak } from './symptom.ts'

/** The programs that no session can do without. */
export async function programs(home: string): Promise<Symptom[]> {
  const [git, tmux] = await Promise.all([versionOf('git'), versionOf('tmux', '-V')])
  return [
    judged('node', { version: process.versions.node }, install('node')),
    judged('git', git, { mac: '`xcode-select --install`, or `brew install git`', linux: install('git').linux }),
    judged('tmux', tmux, install('tmux')),
    ...('version' in tmux ? [await socket(home)] : []),
    await claude(),
  ]
}

/** Is claude logged in, as far as can be told without asking its vendor? */
export async function login(privateConfig: string, workspace: string): Promise<Symptom> {
  const way = loginOf(privateConfig)
  if (way.kind === 'key')
    return good('login', 'a key or token from the environment; whether it is accepted was not tried')
  try {
    await requireLogin(way, findClaude())
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    if (error.exit !== exits.dependency) return bad('login', error.message, error.remedy) // A missing claude is another symptom.
  }
  try {
    prepareLogin(way, workspace)
    return good('login', `your own (${way.configFile}), and claude trusts our workspace`)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const then = 'Without it an orchestrator stalls on "Do you trust this folder?".'
    return bad('login', error.message, `${error.remedy}${error.exit === exits.login ? ` ${then}` : ''}`)
  }
}

// --- internal ---

function install(name: string): Fix {
  return { mac: `\`brew install ${name}\``, linux: `\`apt-get install ${name}\`, or what your system has in its place` }
}

function judged(name: 'node' | 'git' | 'tmux', found: Found, fix: Fix): Symptom {
  if ('why' in found) return bad(name, found.why, fix)
  if (isAtLeast(found.version, oldest[name])) return good(name, found.version)
  return bad(name, `${found.version} is too old: ${oldest[name]} or newer is needed`, fix)
}

async function claude(): Promise<Symptom> {
  try {
    const program = findClaude()
    const found = await versionOf(program)
    if ('why' in found) return bad('claude', found.why, claudeInstall)
    if (isAtLeast(found.version, oldest.claude)) return good('claude', `${found.version} at ${program}`)
    const update = '`claude update`, or `npm install -g @anthropic-ai/claude-code`'
    return bad('claude', `${found.version} is too old, ${oldest.claude} is needed: ${claudeHole}`, update)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return bad('claude', error.message, error.remedy)
  }
}

/** A socket whose server is gone, or is of another version, is said in tmux's own words. */
async function socket(home: string): Promise<Symptom> {
  const { socket: name, state } = tmuxOf(home)
  const { is, words } = await state()
  if (is === 'running') return good('socket', `a tmux of our own runs on socket ${name}`)
  if (is === 'none') return good('socket', `none is open (tmux socket ${name})`)
  if (is === 'stale')
    return weak(
      'socket',
      `tmux left a dead socket behind: ${words}`,
      `Nothing to do: the next dispatch starts a new server. To tidy up: \`dispatch stop --all\``,
    )
  return bad('socket', `tmux does not answer: ${words}`, {
    mac: `A server of another tmux version may hold the socket: \`dispatch stop --all\`, or \`tmux -L ${name} kill-server\``,
    linux: `A server of another tmux version may hold the socket: \`dispatch stop --all\`, or \`tmux -L ${name} kill-server\``,
  })
}
