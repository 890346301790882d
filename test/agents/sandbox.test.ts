import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { prepareClaudeFolder, prepareOrchestratorSandbox, prepareWorkerSandbox } from '#agents/sandbox.ts'
import { SandboxPolicy } from '#host/sandbox'
import { createSession, SessionManifest } from '#session'
import { createScratchFolder } from '../fixtures/scratch.ts'

/** A session whose user has a claude folder. */
function openSession(folder: string, loginKind: 'key' | 'own', kind: 'bubblewrap' | 'seatbelt' | null) {
  const userFolder = path.join(folder, 'yours')
  fs.mkdirSync(path.join(userFolder, 'projects/another'), { recursive: true })
  for (const name of ['.credentials.json', 'settings.json'])
    fs.writeFileSync(path.join(userFolder, name), `{"name":"${name}"}`)
  fs.writeFileSync(
    path.join(userFolder, '.claude.json'),
    '{"oauthAccount":{"id":"you"},"projects":{"/secret/project":{}}}',
  )
  const manifest = SessionManifest.parse({
    format: 1,
    id: '20261121-say-abcd',
    openedAt: '2026-11-21T00:00:00.000Z',
    repository: null,
    task: { bytes: 3, sha256: '', title: 'Say' },
    models: { orchestrator: 'opus', code: 'opus', rw: 'sonnet', judge: 'g' },
    maxRounds: 3,
    allowsJudgedOnly: false,
    sandbox: { kind, reason: '' },
    loginKind,
    claude: {
      program: process.execPath,
      sessionId: '00000000-0000-4000-8000-000000000000',
      configDirectory: userFolder,
    },
  })
  return { userFolder, session: createSession(path.join(folder, 'workspace'), manifest, Buffer.from('say')) }
}

const readPolicy = (file: string) => SandboxPolicy.parse(JSON.parse(fs.readFileSync(file, 'utf8')))

test('in a sandbox an agent reads only your login and settings of claude', t => {
  const { userFolder, session } = openSession(createScratchFolder(t), 'own', 'bubblewrap')
  const { paths } = session
  const own = paths.worker('w')
  for (const folder of [paths.claudeFolder, own.claudeFolder]) {
    assert.deepEqual(prepareClaudeFolder(session, folder), { CLAUDE_CONFIG_DIR: folder })
    assert.equal(fs.readFileSync(path.join(folder, '.credentials.json'), 'utf8'), '{"name":".credentials.json"}')
    const config = JSON.parse(fs.readFileSync(path.join(folder, '.claude.json'), 'utf8'))
    assert.deepEqual(config.oauthAccount, { id: 'you' })
    assert.deepEqual(Object.keys(config.projects), [path.dirname(paths.folder)], 'your other projects are left out')
  }
  prepareOrchestratorSandbox(session, [])
  fs.mkdirSync(own.folder, { recursive: true })
  prepareWorkerSandbox(
    session,
    { name: 'w', kind: 'rw' },
    { files: ['docs/**'], programs: ['/x/bin'], variables: { CACHE: '/x/cache' } },
    [],
  )
  for (const [file, folder] of [
    [paths.sandboxPolicy, paths.claudeFolder],
    [own.sandboxPolicy, own.claudeFolder],
  ] as const) {
    const { readablePaths, writablePaths } = readPolicy(file)
    const shared = ['.credentials.json', 'settings.json'].map(name => path.join(userFolder, name))
    assert.deepEqual(
      readablePaths.filter(file => file.startsWith(userFolder)),
      shared,
    )
    assert.deepEqual(
      writablePaths.filter(file => file.startsWith(userFolder)),
      [],
    )
    assert.ok(writablePaths.includes(folder))
  }
  assert.deepEqual(readPolicy(own.sandboxPolicy).toolFolders, ['/x/bin'])
  assert.ok(readPolicy(own.sandboxPolicy).readablePaths.includes('/x/cache'))
  const git = readPolicy(own.gitSandboxPolicy)
  assert.deepEqual([git.allowedHosts, git.toolFolders, git.writablePaths], [[], [], [paths.outputs]])
})

test('without a sandbox claude uses your folder, unless you log in with a key', t => {
  const own = openSession(path.join(createScratchFolder(t), 'a'), 'own', null)
  assert.deepEqual(prepareClaudeFolder(own.session, own.session.paths.claudeFolder), {
    CLAUDE_CONFIG_DIR: own.userFolder,
  })
  assert.deepEqual(prepareOrchestratorSandbox(own.session, []), [])
  const key = openSession(path.join(createScratchFolder(t), 'b'), 'key', null)
  assert.deepEqual(prepareClaudeFolder(key.session, key.session.paths.claudeFolder), {
    CLAUDE_CONFIG_DIR: key.session.paths.claudeFolder,
  })
  assert.ok(!fs.existsSync(path.join(key.session.paths.claudeFolder, '.credentials.json')))
})
