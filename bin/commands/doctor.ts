import {
  claudeVersion,
  DispatchError,
  exits,
  findClaude,
  gitVersion,
  loginOf,
  makePrivate,
  prepareLogin,
  readConfig,
  run,
  tmuxOf,
} from '../../host/index.ts'
import { defineCommand } from '../command.ts'
import { paint, print, table } from '../terminal.ts'

interface Finding {
  about: string
  state: 'good' | 'weak' | 'bad'
  found: string
  fix: string
}

export const command = defineCommand({
  about: `
Looks at everything a session needs on this machine and says, for each thing that is wrong, what to do about it. Exit code
6 when something is missing that no session can do without.
`,
  options: {
    json: { type: 'boolean', about: 'one JSON object on standard output instead of words' },
  },
  async run(values) {
    const findings = await examine()
    if (values.json) print(JSON.stringify(findings))
    else
      print(
        table(
          findings.map(({ about, state, found, fix }) => [
            mark(state),
            about,
            found,
            state === 'good' ? '' : paint('dim', fix),
          ]),
        ),
      )
    return findings.some(({ state }) => state === 'bad') ? exits.dependency : exits.ok
  },
})

async function examine(): Promise<Finding[]> {
  const config = readConfig()
  const tmux = tmuxOf(config.home)
  return Promise.all([
    Promise.resolve(good('node', process.version)),
    gitVersion().then(found => tool('git', found, '`xcode-select --install` or `apt-get install git`')),
    tmux.version().then(found => tool('tmux', found, '`brew install tmux` or `apt-get install tmux`')),
    claude(),
    login(config.claude, config.workspace),
    Promise.resolve(
      config.GEMINI_API_KEY
        ? good('judge', `${config.JUDGE_MODEL}, key set`)
        : weak(
            'judge',
            'GEMINI_API_KEY is not set: no verdict can be PASS',
            `Get a key, then put GEMINI_API_KEY=… into ${config.home}/.env`,
          ),
    ),
    Promise.resolve(
      config.NTFY_TOPIC
        ? good('phone', `ntfy at ${new URL(config.NTFY_SERVER).host}`)
        : weak(
            'phone',
            'NTFY_TOPIC is not set: no push to a phone',
            `Put NTFY_TOPIC=$(openssl rand -hex 16) into ${config.home}/.env and subscribe to it in the ntfy app`,
          ),
    ),
    desktop(config.DESKTOP === 'on'),
    tmux
      .panes()
      .then(panes =>
        good('sessions', `${new Set(panes.map(pane => pane.session)).size} open on tmux socket ${tmux.socket}`),
      ),
    Promise.resolve(
      weak(
        'sandbox',
        'agents and checks run with your rights',
        'A sandbox is not built yet; see README, "What it does not do"',
      ),
    ),
    home(config.home),
  ])
}

function tool(name: string, version: string | undefined, fix: string): Finding {
  return version === undefined ? bad(name, 'not on PATH, or it does not run', fix) : good(name, version)
}

async function claude(): Promise<Finding> {
  try {
    const program = findClaude()
    const version = await claudeVersion(program)
    return version
      ? good('claude', `${version} at ${program}`)
      : bad('claude', `${program} does not run`, 'npm install -g @anthropic-ai/claude-code')
  } catch (error) {
    return trouble('claude', error)
  }
}

async function login(privateConfig: string, workspace: string): Promise<Finding> {
  const way = loginOf(privateConfig)
  try {
    if (way.kind === 'own') prepareLogin(way, workspace)
    return good(
      'login',
      way.kind === 'key' ? 'a key or token from the environment' : `your own (${way.configFile}), workspace trusted`,
    )
  } catch (error) {
    return trouble('login', error)
  }
}

async function desktop(on: boolean): Promise<Finding> {
  if (!on) return good('desktop', 'switched off (DESKTOP=off)')
  if (process.platform === 'darwin')
    return good('desktop', 'by terminal-notifier; allow it in System Settings, Notifications')
  const ran = await run('notify-send', ['--version'])
  return ran.code === 0
    ? good('desktop', ran.stdout.trim())
    : weak('desktop', 'notify-send is not on PATH', '`apt-get install libnotify-bin`, or DESKTOP=off')
}

async function home(folder: string): Promise<Finding> {
  try {
    makePrivate(folder)
    return good('home', folder)
  } catch (error) {
    return trouble('home', error)
  }
}

function trouble(about: string, error: unknown): Finding {
  return error instanceof DispatchError ? bad(about, error.message, error.remedy) : bad(about, String(error), '')
}

const good = (about: string, found: string): Finding => ({ about, state: 'good', found, fix: '' })
const weak = (about: string, found: string, fix: string): Finding => ({ about, state: 'weak', found, fix })
const bad = (about: string, found: string, fix: string): Finding => ({ about, state: 'bad', found, fix })

function mark(state: Finding['state']): string {
  return state === 'good' ? paint('green', 'ok  ') : state === 'weak' ? paint('yellow', 'note') : paint('red', 'BAD ')
}
