import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { claudeFolder, orchestratorDoor, workerDoor } from '../../agents/enclosure.ts'
import { Policy } from '../../host/index.ts'
import { Opening, openSession } from '../../session/index.ts'
import { scratch } from '../host/scratch.ts'

/** A session whose user has a claude folder of their own at `yours`. */
function session(place: string, login: 'key' | 'own', kind: 'bubblewrap' | 'seatbelt' | null) {
  const yours = path.join(place, 'yours')
  fs.mkdirSync(path.join(yours, 'projects/another'), { recursive: true })
  for (const name of ['.credentials.json', 'settings.json'])
    fs.writeFileSync(path.join(yours, name), `{"of":"${name}"}`)
  fs.writeFileSync(path.join(yours, '.claude.json'), '{"oauthAccount":{"id":"you"},"projects":{"/secret/project":{}}}')
  const opening = Opening.parse({
    format: 1,
    id: '20261121-say-abcd',
    openedAt: '2026-11-21T00:00:00.000Z',
    repository: null,
    task: { bytes: 3, sha256: '', title: 'Say' },
    models: { orchestrator: 'opus', code: 'opus', rw: 'sonnet', judge: 'g' },
    rounds: 3,
    judgedOnly: false,
    sandbox: { kind, why: '' },
    login,
    claude: { program: process.execPath, session: '00000000-0000-4000-8000-000000000000', configDirectory: yours },
  })
  return { yours, opened: openSession(path.join(place, 'workspace'), opening, Buffer.from('say')) }
}

const policyIn = (file: string) => Policy.parse(JSON.parse(fs.readFileSync(file, 'utf8')))

test('your own login in a sandbox: each agent has a folder of its own, and of yours reads login and settings only', t => {
  const { yours, opened } = session(scratch(t), 'own', 'bubblewrap')
  const { paths } = opened
  const own = paths.worker('w')
  for (const folder of [paths.claude, own.claude]) {
    assert.deepEqual(claudeFolder(opened, folder), { CLAUDE_CONFIG_DIR: folder })
    assert.equal(fs.readFileSync(path.join(folder, '.credentials.json'), 'utf8'), '{"of":".credentials.json"}')
    const config = JSON.parse(fs.readFileSync(path.join(folder, '.claude.json'), 'utf8'))
    assert.deepEqual(config.oauthAccount, { id: 'you' })
    assert.deepEqual(
      Object.keys(config.projects),
      [path.dirname(paths.folder)],
      'your other projects are none of its business',
    )
  }
  orchestratorDoor(opened, {})
  fs.mkdirSync(own.folder, { recursive: true })
  workerDoor(opened, { name: 'w', kind: 'rw', files: ['docs/**'], programs: ['/x/bin'], reads: ['/x/cache'] }, {})
  for (const [file, folder] of [
    [paths.policy, paths.claude],
    [own.policy, own.claude],
  ] as const) {
    const { read, write } = policyIn(file)
    const lent = ['.credentials.json', 'settings.json'].map(name => path.join(yours, name))
    assert.deepEqual(
      read.filter(place => place.startsWith(yours)),
      lent,
    )
    assert.deepEqual(
      write.filter(place => place.startsWith(yours)),
      [],
    )
    assert.ok(write.includes(folder))
  }
  assert.deepEqual(policyIn(own.policy).tools, ['/x/bin'])
  assert.ok(policyIn(own.policy).read.includes('/x/cache'))
  const git = policyIn(own.gitPolicy)
  assert.deepEqual([git.hosts, git.tools, git.write], [[], [], [paths.outputs]])
})

test('without a sandbox your own folder stays claude’s; a key has a folder of its own everywhere', t => {
  const open = session(path.join(scratch(t), 'a'), 'own', null)
  assert.deepEqual(claudeFolder(open.opened, open.opened.paths.claude), { CLAUDE_CONFIG_DIR: open.yours })
  assert.deepEqual(orchestratorDoor(open.opened, {}), [])
  const key = session(path.join(scratch(t), 'b'), 'key', null)
  assert.deepEqual(claudeFolder(key.opened, key.opened.paths.claude), { CLAUDE_CONFIG_DIR: key.opened.paths.claude })
  assert.ok(!fs.existsSync(path.join(key.opened.paths.claude, '.credentials.json')))
})
