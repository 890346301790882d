import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseArgs } from 'node:util'
import { resolveSandbox } from '#cli/input/sandbox-options.ts'
import { taskOptions } from '#cli/input/task-options.ts'
import { buildRetryItem } from '#cli/queue/retry-item.ts'
import { readDefaultConfig } from '#host/config'
import type { Session, SessionManifest } from '#session'
import { blankManifest } from '../../fixtures/blank-manifest.ts'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const rest = { checkout: '/src/api', key: 'k', task: Buffer.from('do it'), title: 'do it', source: 'test' }

/** What the next attempt is started with. */
async function readOptions(changes: Partial<SessionManifest>) {
  const session = { id: 's-aaaa', manifest: { ...blankManifest, ...changes } } as Session
  const { options } = await buildRetryItem(session, rest)
  return { ...parseArgs({ args: options, options: taskOptions }).values }
}

test('a new attempt has every setting of its session', async t => {
  const common = { repo: '/src/api', retry: 's-aaaa', 'base-of': 's-aaaa' }
  const models = { orchestrator: 'opus', code: 'sonnet,opus', rw: 'haiku', judge: 'g' }
  const chosen = { model: 'opus', 'code-model': 'sonnet,opus', 'rw-model': 'haiku' }
  assert.deepEqual(await readOptions({ models }), { ...common, ...chosen })
  const allowed = { allowedHosts: ['a.example:443', 'b.example:443'], requiresApproval: true, allowsJudgedOnly: true }
  assert.deepEqual(await readOptions({ models, ...allowed }), {
    ...common,
    ...chosen,
    'allow-host': allowed.allowedHosts,
    approve: true,
    'allow-judged-only': true,
  })
  const place = async (files: Record<string, string>) => ({
    ...(await createRepository(t, { readme: 'one', ...files })),
    uncommittedFiles: 0,
  })
  const withFile = await place({ '.dispatch.json': '{}' })
  assert.equal((await readOptions({ repository: withFile }))['no-setup'], true)
  const project = { setup: [], lockfiles: [], files: [] } as unknown as SessionManifest['project']
  assert.equal((await readOptions({ repository: withFile, project }))['no-setup'], undefined)
  const without = await readOptions({ repository: await place({ 'sub/.dispatch.json': '{}' }) })
  assert.equal(without['no-setup'], undefined, 'a file that came later counts')
})

test('the sandbox is what was asked for, else what SANDBOX says then', async t => {
  const config = readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) })
  const readSandbox = async (mode: 'auto' | 'off', option?: string) =>
    (await readOptions({ sandbox: await resolveSandbox({ ...config, SANDBOX: mode }, option) })).sandbox
  assert.equal(await readSandbox('auto', 'off'), 'off')
  assert.equal(await readSandbox('off'), undefined)
  assert.equal(await readSandbox('auto'), undefined)
  try {
    assert.equal(await readSandbox('off', 'required'), 'required')
  } catch (error) {
    t.skip(`no sandbox here: ${error}`)
  }
})
