/** Version managers and caches: what works in the user's shell works in the setup and in a check. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { Project } from '#host/project'
import { findToolchains } from '#host/toolchains'
import { getEvidence } from '#runner/checks/check-cache.ts'
import { ensureDependencies } from '#runner/dependencies/install.ts'
import { importWork, prepareRepository } from '#session/repository'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createTestContext } from '../../fixtures/runner-context.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { whyNoBubblewrap } from '../../fixtures/skip-reasons.ts'

/** As the real ones: each finds what it needs by HOME or by its variable, and cannot go on without. */
const programs = {
  '.cargo/bin/cargo': `#!/bin/sh
rustup=\${RUSTUP_HOME:-$HOME/.rustup}
[ -e "$rustup/settings.toml" ] || { echo "error: rustup could not choose a version of cargo to run" >&2; exit 1; }
[ "$1" = test ] && touch "$rustup/written" 2>/dev/null
cat "$rustup/settings.toml"
`,
  '.rbenv/shims/ruby': `#!/bin/sh\ncat "\${RBENV_ROOT:-$HOME/.rbenv}/version"\n`,
  '.asdf/shims/elixir': `#!/bin/sh\ncat "$HOME/.tool-versions" && ls "\${ASDF_DATA_DIR:-$HOME/.asdf}/installs"\n`,
  'bin/pnpm': `#!/bin/sh
store=\${COREPACK_HOME:-$HOME/.cache/node/corepack}/v1/pnpm
case $1 in
install) mkdir -p "$store" "$HOME/.cache/ms-playwright/chromium" "\${GOCACHE:-$HOME/.cache/go-build}/a" node_modules/x ;;
*) [ -d "$store" ] && [ -d "\${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}/chromium" ] || { echo "pnpm would download itself" >&2; exit 1; }
   touch "\${GOCACHE:-$HOME/.cache/go-build}/a/mine" && [ "$pnpm_config_verify_deps_before_run" = false ] ;;
esac
`,
}

for (const [name, sandbox, skip] of [
  ['without a sandbox', { kind: null, reason: 'a test' }, false],
  ['in a sandbox', { kind: 'bubblewrap', reason: '' }, whyNoBubblewrap],
] as const)
  test(`compilers of version managers, and what the setup left in its home, are there ${name}`, { skip }, async t => {
    const home = createScratchFolder(t)
    for (const [file, text] of Object.entries({
      ...programs,
      '.rustup/settings.toml': 'stable\n',
      '.rbenv/version': '3.3.0\n',
      '.tool-versions': 'elixir 1.17\n',
      '.asdf/installs/elixir-of-asdf': '',
    })) {
      fs.mkdirSync(path.dirname(path.join(home, file)), { recursive: true })
      fs.writeFileSync(path.join(home, file), text, { mode: 0o755 })
    }
    const folders = ['.cargo/bin', '.rbenv/shims', '.asdf/shims', 'bin'].map(folder => path.join(home, folder))
    const variables = { HOME: home, PATH: [...folders, '/usr/bin', '/bin'].join(':') }
    const before = { HOME: process.env['HOME'], PATH: process.env['PATH'] }
    Object.assign(process.env, variables)
    t.after(() => Object.assign(process.env, before))

    const { path: user, commit } = await createRepository(t, { 'pnpm-lock.yaml': '', 'main.c': '' })
    const project = Project.parse({ setup: ['cargo fetch && pnpm install'], lockfiles: ['pnpm-lock.yaml'] })
    const toolchains = await findToolchains({ untrustedFolders: [user], environment: variables })
    const repository = { path: user, commit, uncommittedFiles: 0 }
    const context = createTestContext(t, { project, sandbox, repository, toolchains }, { CHECK_REPEAT_SEC: 0 })
    const base = await prepareRepository(context.session.paths, 'dispatch/x', user)
    context.record({ type: 'base.prepared', ...base })

    const dependencies = await ensureDependencies(context, base)
    assert.ok(dependencies.ok, dependencies.ok ? '' : dependencies.reason)
    const command = 'cargo test && ruby x && elixir x && pnpm test'
    const expectation = { exitCode: 0, outputContains: [], outputMatches: [], allowsSkips: false }
    const clause = { id: 'C1', proof: { kind: 'check', command, expectation } } as unknown as Parameters<
      typeof getEvidence
    >[1]
    const run = (id: string) => getEvidence(context, clause, { id, side: 'base', round: 0, commit: base })
    const first = await run('base-C1')
    assert.equal(first.outcome, 'green', `${first.reason}\n${first.outputTail}`)
    assert.match(first.outputTail, /^stable\n3\.3\.0\nelixir 1\.17\nelixir-of-asdf\n$/)
    const isWritten = fs.existsSync(path.join(home, '.rustup/written'))
    assert.equal(isWritten, sandbox.kind === null, 'toolchains are read-only in a sandbox')
    const prepared = path.join(context.config.home, 'prepared', dependencies.key ?? '')
    assert.deepEqual(
      fs.readdirSync(path.join(prepared, 'home/.cache/go-build/a')),
      [],
      'a check wrote into the cache of all',
    )

    if (sandbox.kind !== null) return // What follows is the same there.
    assert.equal((await run('round-1-C1')).originalId, 'base-C1', 'nothing has changed')
    fs.writeFileSync(path.join(home, '.rustup/settings.toml'), 'nightly\n')
    assert.equal((await run('round-2-C1')).originalId, undefined, 'the compiler is another one')
    context.dependencies.clear()
    const again = await ensureDependencies(context, await importWork(context.session.paths))
    assert.ok(again.ok && again.key !== dependencies.key, 'what another compiler has built was used')
  })
