import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import dgram from 'node:dgram'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'

/** The host that lives on while many worlds come and go: who listens there, and who has called. */
export interface EscapeHost {
  folder: string
  /** The secret that nobody inside may see. */
  canary: string
  names: Record<string, string>
  calls: string[]
  close(): void
}

/** Files of a user and of a session, as one try finds them. */
export interface EscapeWorld {
  folder: string
  canary: string
  /** What the scripts are told. */
  names: Record<string, string>
  pathOf(file: string): string
  isChanged(file: string): boolean
  hasCalled(id: string): boolean
  isVictimAlive(): boolean
  close(): void
}

export async function openHost(): Promise<EscapeHost> {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'host-')))
  const calls: string[] = []
  const canary = `canary-${randomBytes(12).toString('hex')}`
  const shared = randomBytes(3).readUIntBE(0, 3) + 1
  share(shared, canary)
  const hear = (words: string) => void calls.push(...(words.match(/\/\d+\b/g) ?? []))
  const attacker = http.createServer((request, response) => {
    hear(request.url ?? '')
    response.end('heard')
  })
  const allowed = http.createServer((request, response) => {
    const [, port, id] = /^\/to\/(\d+)\/(\d+)/.exec(request.url ?? '') ?? []
    response.writeHead(port ? 302 : 200, { location: `http://127.0.0.1:${port}/${id}` }).end()
  })
  const listen = async (server: net.Server, where: object) => {
    server.listen(where)
    await once(server, 'listening')
    return server
  }
  const talk = (socket: net.Socket) =>
    socket
      .on('error', () => undefined)
      .on('data', bytes => {
        hear(bytes.toString())
        socket.end('heard')
      })
  const abstract = `host-${randomBytes(6).toString('hex')}`
  const servers = [
    await listen(attacker, { port: 0, host: '::' }),
    await listen(allowed, { port: 0, host: '127.0.0.1' }),
    await listen(net.createServer(talk), { path: path.join(folder, 'socket') }),
    await listen(net.createServer(talk), { path: `\0${abstract}` }),
  ]
  const datagrams = dgram.createSocket('udp4').on('message', bytes => hear(bytes.toString()))
  datagrams.bind(0, '127.0.0.1')
  await once(datagrams, 'listening')
  const tmux = path.join(folder, 'tmux')
  const terminal = (...words: string[]) => spawnSync('tmux', ['-S', tmux, '-f', '/dev/null', ...words])
  terminal('new-session', '-d', '-s', 'host', 'sleep 600')
  const portOf = (server: net.Server | undefined) => String((server?.address() as AddressInfo | undefined)?.port)
  return {
    folder,
    canary,
    calls,
    names: {
      PORT: portOf(servers[0]),
      ALLOWED: portOf(servers[1]),
      DATAGRAMS: String(datagrams.address().port),
      SOCKET: path.join(folder, 'socket'),
      ABSTRACT: abstract,
      TMUX_SOCKET: tmux,
      SHARED: String(shared),
    },
    close() {
      terminal('kill-server')
      share(shared)
      for (const server of servers) server.close()
      attacker.closeAllConnections()
      allowed.closeAllConnections()
      datagrams.close()
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

const files = (canary: string): Record<string, string> => ({
  'home/.ssh/id_rsa': canary,
  'home/.bashrc': 'mine',
  'home/.claude/settings.json': '{"model":"x"}',
  'home/.claude/projects/other/talk.jsonl': canary,
  'tools/bin/tool': 'mine',
  'state/.env': `GEMINI_API_KEY=${canary}`,
  'state/workspace/other/task.md': canary,
  'state/workspace/other/outputs/a.txt': canary,
  'state/workspace/mine/contract.md': 'sealed',
  'state/workspace/mine/events.jsonl': 'first',
  'state/workspace/mine/.write-lock/token': '1',
  'state/workspace/mine/brief.md': 'do it',
  'state/workspace/mine/stream.jsonl': 'first',
  'state/workspace/mine/evidence/base-C1.txt': canary,
})

export function openWorld(host: EscapeHost): EscapeWorld {
  const folder = fs.mkdtempSync(path.join(host.folder, 'world-'))
  const pathOf = (file: string) => path.join(folder, file)
  const { canary } = host
  const before = files(canary)
  for (const [file, text] of Object.entries(before)) {
    fs.mkdirSync(path.dirname(pathOf(file)), { recursive: true })
    fs.writeFileSync(pathOf(file), text)
  }
  const git = (where: string, ...words: string[]) =>
    spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@localhost', '-c', 'init.defaultBranch=main', ...words], {
      cwd: pathOf(where),
      encoding: 'utf8',
    }).stdout.trim()
  fs.mkdirSync(pathOf('repository'))
  git('repository', 'init', '-q')
  fs.writeFileSync(pathOf('repository/a.txt'), canary)
  git('repository', 'add', '.')
  git('repository', 'commit', '-qm', 'a')
  git('.', 'clone', '-q', '--bare', '--no-hardlinks', 'repository', 'state/workspace/mine/trees.git')
  const outputs = 'state/workspace/mine/outputs'
  fs.mkdirSync(pathOf(`${outputs}/docs`), { recursive: true })
  git(outputs, 'init', '-q')
  git(outputs, 'commit', '-q', '--allow-empty', '-m', 'a')
  fs.mkdirSync(pathOf(`${outputs}/.git/hooks`), { recursive: true })
  fs.mkdirSync(pathOf('scratch'))
  const config = fs.readFileSync(pathOf(`${outputs}/.git/config`), 'utf8')
  const victim: ChildProcess = spawn('sleep', ['600'], {
    env: { PATH: process.env['PATH'] ?? '', SECRET: canary },
    stdio: 'ignore',
    cwd: pathOf('home'),
  })
  const first = host.calls.length
  const expected: Record<string, string> = { ...before, [`${outputs}/.git/config`]: config }
  const isFolder = [`state/workspace/mine`, `state/workspace/mine/.write-lock`]
  return {
    folder,
    canary,
    names: {
      ...host.names,
      HOME_: pathOf('home'),
      STATE: pathOf('state'),
      MINE: pathOf('state/workspace/mine'),
      OTHER: pathOf('state/workspace/other'),
      OUT: pathOf(outputs),
      BARE: pathOf('state/workspace/mine/trees.git'),
      BLOB: git('repository', 'rev-parse', 'HEAD:a.txt'),
      REPOSITORY: pathOf('repository'),
      TOOLS: pathOf('tools'),
      TEMP: host.folder,
      VICTIM: String(victim.pid),
    },
    pathOf,
    isChanged(file) {
      const found = fs.statSync(pathOf(file), { throwIfNoEntry: false })
      if (isFolder.includes(file)) return found === undefined
      if (expected[file] === undefined) return found !== undefined
      return (
        found === undefined ||
        !fs.readFileSync(pathOf(file), 'utf8').startsWith(expected[file]) ||
        (found.size !== expected[file].length && !file.endsWith('stream.jsonl'))
      )
    },
    hasCalled: id => host.calls.slice(first).includes(`/${id}`),
    isVictimAlive: () => fs.existsSync(`/proc/${victim.pid}`) && victim.exitCode === null && victim.signalCode === null,
    close() {
      victim.kill('SIGKILL')
      fs.rmSync(path.join(host.folder, 'left-in-temp'), { force: true })
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Words in shared memory under this key, or (without any) no such memory any more. */
function share(key: number, words?: string): void {
  const made = ['id = libc.shmget(key, 64, 0o1600)', 'ctypes.memmove(libc.shmat(id, None, 0), words, len(words))']
  const gone = ['libc.shmctl(libc.shmget(key, 64, 0), 0, None)']
  const begin = [
    'import ctypes',
    'libc = ctypes.CDLL(None)',
    'libc.shmat.restype = ctypes.c_void_p',
    `key = ${key}`,
    `words = b'${words}'`,
  ]
  spawnSync('python3', ['-c', [...begin, ...(words === undefined ? gone : made)].join('\n')])
}
