import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { detectSandbox } from '#host/sandbox'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, type Scenario, say, spawn } from '#rehearsal/scenario.ts'
import { type Rig, withRig } from '../fixtures/rig.ts'
import { authorityFile, renderLogin, startVendor, type Vendor } from '../fixtures/vendor/vendor.ts'

const sandbox = await detectSandbox()
const skip = 'problem' in sandbox && `${sandbox.problem}: ${sandbox.remedy}`

/** Run with the user's own login to a subscription, behind the vendor's proxy. No key is in the environment. */
async function withLogin(
  scenario: Scenario,
  expiresInMs: number,
  run: (rig: Rig, vendor: Vendor, file: string) => Promise<void>,
) {
  const changes = { SANDBOX: 'auto', ANTHROPIC_API_KEY: '', ANTHROPIC_BASE_URL: '', RIG_CLAUDE: 'real' }
  await withRig(
    scenario,
    async rig => {
      const vendor = await startVendor(rig.models.url)
      try {
        const folder = path.join(rig.home, 'home/.claude')
        const file = path.join(folder, '.credentials.json')
        fs.mkdirSync(folder)
        fs.writeFileSync(file, renderLogin(vendor, new Date(Date.now() + expiresInMs)), { mode: 0o600 })
        const workspace = path.join(rig.home, 'dispatch/workspace')
        const config = { hasCompletedOnboarding: true, projects: { [workspace]: { hasTrustDialogAccepted: true } } }
        fs.writeFileSync(path.join(rig.home, 'home/.claude.json'), JSON.stringify(config))
        Object.assign(rig.environment, {
          HTTPS_PROXY: vendor.proxyUrl,
          NO_PROXY: '127.0.0.1,localhost',
          NODE_EXTRA_CA_CERTS: authorityFile,
        })
        await run(rig, vendor, file)
      } finally {
        await vendor.close()
      }
    },
    changes,
  )
}

const twoWorkers: Scenario = {
  title: '',
  task: helloTask,
  orchestrator: [
    put('contract.md', helloContract.replace('`hello.sh`\n', '`hello.sh` `notes.md`\n')),
    spawn('code --name coder --clauses C1', 'Write hello.sh: it prints hello.'),
    spawn('rw --name writer --clauses C2 --files notes.md', 'Write nothing.'),
    ...remainingTurns.slice(-3),
  ],
  workers: {
    coder: [bash('cat "$CLAUDE_CONFIG_DIR/.credentials.json"; env | sort'), ...honestWorkerTurns],
    writer: [say('Nothing to write.')],
  },
  endStates: ['PASS'],
}

/** A model that answers once. */
const startsOnce: Scenario = { ...twoWorkers, orchestrator: [bash(':'), { hang: true }] }

describe('a login', { skip, concurrency: 2 }, () => {
  it('to a subscription is renewed once for three agents, and no agent sees it', () =>
    withLogin(twoWorkers, 60_000, async (rig, vendor, file) => {
      // When both workers are there, every token is refused: both meet it at the same moment.
      const workers = new Set<string>()
      vendor.onRequest = (_path, body) => {
        const [, worker] = /You are (?:code|writing) worker (\S+) of session/.exec(body) ?? []
        if (worker === undefined || workers.has(worker)) return
        workers.add(worker)
        if (workers.size === 2) vendor.revokeAccess()
      }
      const ran = await rig.dispatch([helloTask, '--wait'])
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      assert.deepEqual([...workers].sort(), ['coder', 'writer'])
      assert.deepEqual([vendor.renewals, vendor.refusedRenewals], [2, 0])
      const stored = JSON.parse(fs.readFileSync(file, 'utf8')).claudeAiOauth
      assert.deepEqual([stored.accessToken, stored.refreshToken], [vendor.accessToken, vendor.refreshToken])
      const found = spawnSync('grep', ['-rlE', '(access|refresh)-[0-9]', rig.readSession().paths.folder], {
        encoding: 'utf8',
      })
      assert.equal(found.stdout, '')
    }))

  it('can be that of a gateway, named in your settings of claude with its proxy and its certificate', () =>
    withLogin(startsOnce, 3_600_000, async (rig, vendor, file) => {
      fs.rmSync(file)
      for (const name of ['HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS']) delete rig.environment[name]
      const env = {
        ANTHROPIC_BASE_URL: 'https://gateway.example',
        ANTHROPIC_AUTH_TOKEN: vendor.accessToken,
        HTTPS_PROXY: vendor.proxyUrl,
        NO_PROXY: '127.0.0.1,localhost',
        NODE_EXTRA_CA_CERTS: authorityFile,
      }
      fs.writeFileSync(path.join(path.dirname(file), 'settings.json'), JSON.stringify({ env }))
      const ran = await rig.dispatch([helloTask])
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      assert.ok(vendor.requests.length > 0)
      assert.ok(vendor.requests.every(({ login }) => login === vendor.accessToken))
    }))

  it('can come from the program that prints your key', () =>
    withLogin(startsOnce, 3_600_000, async (rig, vendor, file) => {
      fs.rmSync(file)
      const program = `echo ${vendor.accessToken}; echo run >>'${rig.home}/runs'`
      fs.writeFileSync(path.join(path.dirname(file), 'settings.json'), JSON.stringify({ apiKeyHelper: program }))
      const ran = await rig.dispatch([helloTask])
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      assert.ok(vendor.requests.some(({ path: name }) => name.startsWith('/v1/messages')))
      assert.ok(fs.existsSync(path.join(rig.home, 'runs')))
    }))
})
