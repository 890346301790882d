/** The command line of bubblewrap is the one that the manager of the library makes. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { findProgram } from '#host/exec.ts'
import { buildPolicy, type SandboxPolicy } from '#host/sandbox'
import { buildBubblewrapLine } from '#host/sandbox/bubblewrap.ts'
import { buildInnerScript, buildRuntimeConfig } from '#host/sandbox/command-line.ts'
import { loadRuntime } from '#host/sandbox/library.ts'
import { listReadablePaths } from '#host/sandbox/readable-paths.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { whyNoBubblewrap } from '../../fixtures/skip-reasons.ts'

const runtime = await loadRuntime()

/** A machine for policies: a home with tools, a session, and the empty folder in which the library looks around. */
function createMachine(t: TestContext) {
  const root = fs.realpathSync(createScratchFolder(t))
  const pathOf = (name: string) => path.join(root, name)
  const folders = ['home/.cargo/bin', 'session/outputs/.git/hooks', 'session/outputs/docs', 'session/evidence', 'empty']
  for (const name of [...folders, 'scratch', 'home/tools/bin']) fs.mkdirSync(pathOf(name), { recursive: true })
  for (const name of ['home/.cargo/credentials.toml', 'session/secret', 'session/outputs/.git/config', 'file'])
    fs.writeFileSync(pathOf(name), '')
  fs.symlinkSync(pathOf('session'), pathOf('link'))
  const { HOME, TMPDIR } = process.env
  const cwd = process.cwd()
  t.after(async () => {
    process.chdir(cwd)
    for (const [name, value] of Object.entries({ HOME, TMPDIR }))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    await runtime.reset()
  })
  Object.assign(process.env, { HOME: pathOf('home'), TMPDIR: pathOf('empty') })
  process.chdir(pathOf('empty'))
  const searchPath = [pathOf('home/.cargo/bin'), pathOf('home/tools/bin'), '/usr/local/bin:/usr/bin:/bin'].join(':')
  const configure = (policy: SandboxPolicy) =>
    buildRuntimeConfig(policy, listReadablePaths(searchPath, pathOf('home')), pathOf('empty'), 'linux')
  return { pathOf, configure }
}

/** What the manager makes, with the program by its path, and without the folder that it shares with every sandbox. */
async function askRuntime(config: ReturnType<typeof buildRuntimeConfig>, script: string, commandId: string) {
  const ask = () => runtime.wrapWithSandboxArgv(script, '/bin/sh', config, undefined, undefined, { commandId })
  const { argv } = await ask().catch(ask).catch(ask) // On a busy machine it does not find the shell within its second.
  return (argv.at(-1) ?? '')
    .replace(/^bwrap /, `${findProgram('bwrap')} `)
    .replaceAll(/ --bind \/tmp\/claude \/tmp\/claude(?= )/g, '')
}

test('without a network the command line is the same word for word', { skip: whyNoBubblewrap }, async t => {
  const { pathOf, configure } = createMachine(t)
  const outputs = pathOf('session/outputs')
  const base = { folder: outputs, tempFolder: pathOf('scratch'), outputs, files: ['docs/**'] }
  const changes: Partial<SandboxPolicy>[] = [
    { writablePaths: [outputs] },
    { writablePaths: [pathOf('session'), outputs], hiddenPaths: [pathOf('session/evidence')] },
    { readablePaths: [pathOf('session')], hiddenPaths: [pathOf('session/evidence'), pathOf('session/secret')] },
    { readablePaths: [pathOf('session')], writablePaths: [outputs], hiddenPaths: [pathOf('session/outputs/docs')] },
    { readablePaths: [pathOf('link'), pathOf('file')], hiddenPaths: [pathOf('session/evidence')] },
    { readablePaths: [pathOf('home')], hiddenPaths: [pathOf('home/.cargo')] },
    { readablePaths: [pathOf('gone')], hiddenPaths: [pathOf('gone/too')], tempFolder: pathOf('scratch/x y') },
    { writablePaths: [outputs], protectedPaths: [path.join(outputs, '.git/config'), path.join(outputs, '.git/new')] },
    {
      readablePaths: [pathOf('session')],
      tempFolder: pathOf('session/deep/temp'),
      toolFolders: [pathOf('home/tools')],
    },
  ]
  for (const role of ['orchestrator', 'rw', 'commit', 'check'] as const)
    for (const change of role === 'check' ? changes : changes.slice(0, 1)) {
      const policy = { ...buildPolicy(role, base), ...change, allowedHosts: [] }
      const config = configure(policy)
      const script = buildInnerScript(policy, ['echo', "it's", '$(id) | *'])
      runtime.updateConfig(config)
      const expected = await askRuntime(config, script, role)
      runtime.cleanupAfterCommand()
      const { commandLine, release } = await buildBubblewrapLine(config, script, {
        role,
        searchPath: process.env['PATH'] ?? '',
      })
      release()
      assert.equal(commandLine, expected, `${role} ${JSON.stringify(change)}`)
    }
})

test('with a network it differs in the port of the proxy only', { skip: whyNoBubblewrap }, async t => {
  const { pathOf, configure } = createMachine(t)
  const folder = pathOf('session/outputs')
  for (const role of ['code', 'setup'] as const) {
    const policy = buildPolicy(role, { folder, tempFolder: pathOf('scratch'), allowedHosts: ['example.com:443'] })
    const config = configure(policy)
    const script = buildInnerScript(policy, ['true'])
    await runtime.initialize(config)
    const expected = await askRuntime(config, script, role)
    const [socket, password] = [runtime.getLinuxHttpSocketPath(), runtime.getProxyAuthToken()]
    assert.ok(socket && password)
    const { commandLine, release } = await buildBubblewrapLine(config, script, {
      role,
      searchPath: process.env['PATH'] ?? '',
      proxy: { socket, password },
    })
    release()
    await runtime.reset()
    const withoutPorts = (line: string) => line.replaceAll(/(CLAUDE_CODE_HOST_\w+_PROXY_PORT) \d+/g, '$1')
    assert.equal(withoutPorts(commandLine), withoutPorts(expected), role)
  }
})
