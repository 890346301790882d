import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import {
  prepareClaudeFolder,
  prepareClaudeSettings,
  prepareOrchestratorSandbox,
  prepareWorkerSandbox,
} from '#agents/sandbox.ts'
import { SandboxPolicy } from '#host/sandbox'
import { createSession, SessionManifest } from '#session'
import { createScratchFolder } from '../fixtures/scratch.ts'

/** A session whose user has a claude folder. */
function openSession(folder: string, loginKind: 'key' | 'own', kind: 'bubblewrap' | 'seatbelt' | null) {
  const userFolder = path.join(folder, 'yours')
  fs.mkdirSync(path.join(userFolder, 'projects/another'), { recursive: true })
  fs.writeFileSync(path.join(userFolder, 'settings.json'), '{"statusLine":{}}')
  fs.writeFileSync(
    path.join(userFolder, '.credentials.json'),
    '{"claudeAiOauth":{"accessToken":"real-a","refreshToken":"real-r","expiresAt":1,"scopes":[],"subscriptionType":"max"}}',
  )
  fs.writeFileSync(
    path.join(userFolder, '.claude.json'),
    '{"oauthAccount":{"id":"you"},"primaryApiKey":"real-key","projects":{"/secret/project":{}},"mcpServers":{"m":{}}}',
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
    toolchains: {
      variables: { RUSTUP_HOME: '/x/rustup' },
      found: [{ name: 'rustup', folder: '/x/rustup', variable: 'RUSTUP_HOME', readable: ['/y/rust'], homeFiles: [] }],
      problems: [],
    },
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

for (const kind of ['bubblewrap', 'seatbelt'] as const)
  test(`in ${kind} an agent has a placeholder instead of your login, and none of your files`, t => {
    const { userFolder, session } = openSession(createScratchFolder(t), 'own', kind)
    const { paths } = session
    const own = paths.worker('w')
    for (const folder of [paths.claudeFolder, own.claudeFolder]) {
      assert.deepEqual(prepareClaudeFolder(session, folder, 'placeholder-1'), { CLAUDE_CONFIG_DIR: folder })
      assert.deepEqual(fs.readdirSync(folder).sort(), ['.claude.json', '.credentials.json'])
      for (const name of fs.readdirSync(folder))
        assert.doesNotMatch(fs.readFileSync(path.join(folder, name), 'utf8'), /real-/)
      const login = JSON.parse(fs.readFileSync(path.join(folder, '.credentials.json'), 'utf8')).claudeAiOauth
      assert.deepEqual([login.accessToken, login.subscriptionType], ['placeholder-1', 'max'])
      const config = JSON.parse(fs.readFileSync(path.join(folder, '.claude.json'), 'utf8'))
      assert.deepEqual([config.oauthAccount, config.primaryApiKey], [{ id: 'you' }, 'placeholder-1'])
      assert.equal(config.mcpServers, undefined)
      assert.deepEqual(Object.keys(config.projects), [path.dirname(paths.folder)], 'your other projects are left out')
    }
    prepareOrchestratorSandbox(session, [], 'placeholder-1')
    fs.mkdirSync(own.folder, { recursive: true })
    prepareWorkerSandbox(
      session,
      { name: 'w', kind: 'rw' },
      { files: ['docs/**'], programs: ['/x/bin'], readablePaths: ['/x/cache'] },
      [],
      'placeholder-2',
    )
    for (const [file, folder, placeholder] of [
      [paths.sandboxPolicy, paths.claudeFolder, 'placeholder-1'],
      [own.sandboxPolicy, own.claudeFolder, 'placeholder-2'],
    ] as const) {
      const { readablePaths, writablePaths, allowedHosts, model, inheritedVariables } = readPolicy(file)
      assert.deepEqual(
        [...readablePaths, ...writablePaths].filter(file => file.startsWith(userFolder)),
        [],
      )
      assert.ok(writablePaths.includes(folder))
      for (const toolchain of ['/x/rustup', '/y/rust']) assert.ok(readablePaths.includes(toolchain))
      assert.ok(!writablePaths.some(place => place.startsWith('/x')))
      assert.deepEqual(allowedHosts, [], 'only the launcher reaches the model')
      assert.deepEqual([model?.placeholder, model?.configDirectory], [placeholder, userFolder])
      assert.deepEqual(
        inheritedVariables.filter(
          name =>
            /^(ANTHROPIC|CLAUDE).*(KEY|TOKEN|BASE_URL|HEADERS)$/.test(name) && !/BEDROCK|VERTEX|FOUNDRY/.test(name),
        ),
        [],
      )
    }
    assert.deepEqual(readPolicy(own.sandboxPolicy).toolFolders, ['/x/bin'])
    assert.ok(readPolicy(own.sandboxPolicy).readablePaths.includes('/x/cache'))
    const git = readPolicy(own.gitSandboxPolicy)
    assert.deepEqual([git.allowedHosts, git.toolFolders, git.writablePaths], [[], [], [paths.outputs]])
  })

test('without a sandbox claude uses your folder, unless you log in with a key', t => {
  const own = openSession(path.join(createScratchFolder(t), 'a'), 'own', null)
  assert.deepEqual(prepareClaudeFolder(own.session, own.session.paths.claudeFolder, 'placeholder'), {
    CLAUDE_CONFIG_DIR: own.userFolder,
  })
  assert.deepEqual(prepareOrchestratorSandbox(own.session, [], 'placeholder'), [])
  const key = openSession(path.join(createScratchFolder(t), 'b'), 'key', null)
  assert.deepEqual(prepareClaudeFolder(key.session, key.session.paths.claudeFolder, 'placeholder'), {
    CLAUDE_CONFIG_DIR: key.session.paths.claudeFolder,
  })
  assert.ok(!fs.existsSync(path.join(key.session.paths.claudeFolder, '.credentials.json')))
})

test('agents get the hooks of dispatch, and of your settings only what steers nothing', t => {
  const { userFolder, session } = openSession(createScratchFolder(t), 'own', null)
  const settings = { effortLevel: 'high', hooks: { Stop: [] }, permissions: { deny: ['Bash'] }, disableAllHooks: true }
  fs.writeFileSync(path.join(userFolder, 'settings.json'), JSON.stringify(settings))
  const before = process.env['CLAUDE_CONFIG_DIR']
  process.env['CLAUDE_CONFIG_DIR'] = userFolder
  t.after(() => {
    if (before === undefined) delete process.env['CLAUDE_CONFIG_DIR']
    else process.env['CLAUDE_CONFIG_DIR'] = before
  })
  prepareClaudeSettings(session)
  const written = JSON.parse(fs.readFileSync(session.paths.claudeSettings, 'utf8'))
  assert.equal(written.effortLevel, 'high')
  assert.ok(written.hooks.UserPromptSubmit, 'the hooks of dispatch')
  assert.deepEqual([written.permissions, written.disableAllHooks], [undefined, undefined])
})
