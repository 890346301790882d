import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { prepareClaudeFolder, prepareOrchestratorSandbox, prepareWorkerSandbox } from '#agents/sandbox.ts'
import { SandboxPolicy } from '#host/sandbox'
import { createSession, SessionManifest } from '#session'
import { createScratchFolder } from '../fixtures/scratch.ts'

/** A session whose user has a claude folder of their own at `yours`. */
function session(place: string, login: 'key' | 'own', kind: 'bubblewrap' | 'seatbelt' | null) {
  const yours = path.join(place, 'yours')
  fs.mkdirSync(path.join(yours, 'projects/another'), { recursive: true })
  for (const name of ['.credentials.json', 'settings.json'])
    fs.writeFileSync(path.join(yours, name), `{"of":"${name}"}`)
  fs.writeFileSync(path.join(yours, '.claude.json'), '{"oauthAccount":{"id":"you"},"projects":{"/secret/project":{}}}')
  const opening = SessionManifest.parse({
    format: 1,
    id: '20261121-say-abcd',
    openedAt: '2026-11-21T00:00:00.000Z',
    repository: null,
    task: { bytes: 3, sha256: '', title: 'Say' },
    models: { orchestrator: 'opus', code: 'opus', rw: 'sonnet', judge: 'g' },
    maxRounds: 3,
    allowsJudgedOnly: false,
    sandbox: { kind, reason: '' },
    loginKind: login,
    claude: { program: process.execPath, sessionId: '00000000-0000-4000-8000-000000000000', configDirectory: yours },
  })
  return { yours, opened: createSession(path.join(place, 'workspace'), opening, Buffer.from('say')) }
}

const policyIn = (file: string) => SandboxPolicy.parse(JSON.parse(fs.readFileSync(file, 'utf8')))

test('your own login in a sandbox: each agent has a folder of its own, and of yours reads login and settings only', t => {
  const { yours, opened } = session(createScratchFolder(t), 'own', 'bubblewrap')
  const { paths } = opened
  const own = paths.worker('w')
  for (const folder of [paths.claudeFolder, own.claudeFolder]) {
    assert.deepEqual(prepareClaudeFolder(opened, folder), { CLAUDE_CONFIG_DIR: folder })
    assert.equal(fs.readFileSync(path.join(folder, '.credentials.json'), 'utf8'), '{"of":".credentials.json"}')
    const config = JSON.parse(fs.readFileSync(path.join(folder, '.claude.json'), 'utf8'))
    assert.deepEqual(config.oauthAccount, { id: 'you' })
    assert.deepEqual(
      Object.keys(config.projects),
      [path.dirname(paths.folder)],
      'your other projects are none of its business',
    )
  }
  prepareOrchestratorSandbox(opened, {})
  fs.mkdirSync(own.folder, { recursive: true })
  prepareWorkerSandbox(
    opened,
    { name: 'w', kind: 'rw', files: ['docs/**'], programs: ['/x/bin'], readablePaths: ['/x/cache'] },
    {},
  )
  for (const [file, folder] of [
    [paths.sandboxPolicy, paths.claudeFolder],
    [own.sandboxPolicy, own.claudeFolder],
  ] as const) {
    const { readablePaths, writablePaths } = policyIn(file)
    const lent = ['.credentials.json', 'settings.json'].map(name => path.join(yours, name))
    assert.deepEqual(
      readablePaths.filter(place => place.startsWith(yours)),
      lent,
    )
    assert.deepEqual(
      writablePaths.filter(place => place.startsWith(yours)),
      [],
    )
    assert.ok(writablePaths.includes(folder))
  }
  assert.deepEqual(policyIn(own.sandboxPolicy).toolFolders, ['/x/bin'])
  assert.ok(policyIn(own.sandboxPolicy).readablePaths.includes('/x/cache'))
  const git = policyIn(own.gitSandboxPolicy)
  assert.deepEqual([git.allowedHosts, git.toolFolders, git.writablePaths], [[], [], [paths.outputs]])
})

test('without a sandbox your own folder stays claude’s; a key has a folder of its own everywhere', t => {
  const open = session(path.join(createScratchFolder(t), 'a'), 'own', null)
  assert.deepEqual(prepareClaudeFolder(open.opened, open.opened.paths.claudeFolder), { CLAUDE_CONFIG_DIR: open.yours })
  assert.deepEqual(prepareOrchestratorSandbox(open.opened, {}), [])
  const key = session(path.join(createScratchFolder(t), 'b'), 'key', null)
  assert.deepEqual(prepareClaudeFolder(key.opened, key.opened.paths.claudeFolder), {
    CLAUDE_CONFIG_DIR: key.opened.paths.claudeFolder,
  })
  assert.ok(!fs.existsSync(path.join(key.opened.paths.claudeFolder, '.credentials.json')))
})
