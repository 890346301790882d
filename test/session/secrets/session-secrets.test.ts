import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { resolveSessionPaths } from '#session/paths.ts'
import { listSecretsOf, listSessionSecrets } from '#session/secrets'
import { buildConfig } from '../../fixtures/notify-home.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const [SETTING, FIRST, SECOND] = ['AIza-judge-key-of-dispatch', 'Tulip-Garden-42', 'Rose-Garden-43']

test('the secrets of a session are those of dispatch, and those in the ignored files that it was given', t => {
  const home = createScratchFolder(t)
  const config = buildConfig(home, { GEMINI_API_KEY: SETTING })
  const createFiles = (id: string, name: string, text: string) => {
    const paths = resolveSessionPaths(path.join(config.workspace, id))
    fs.mkdirSync(path.dirname(path.join(paths.ignoredFiles, name)), { recursive: true })
    fs.writeFileSync(path.join(paths.ignoredFiles, name), text)
    return paths
  }
  const [a, b, gone] = ['2026-11-20-a-a001', '2026-11-20-b-b001', '2026-11-20-c-c001']
  const paths = createFiles(a, '.env', `DATABASE_PASSWORD=${FIRST}\n`)
  createFiles(b, 'config/keys.env', `API_KEY="${SECOND}"\n`)
  const has = (secrets: string[]) => [SETTING, FIRST, SECOND].map(each => secrets.includes(each))

  assert.deepEqual(has(listSessionSecrets(config, paths)), [true, true, false])
  assert.deepEqual(has(listSecretsOf(config, [a, gone, b])), [true, true, true])
  assert.deepEqual(has(listSecretsOf(config, ['../2026-11-20-a-a001', ''])), [true, false, false])

  fs.rmSync(paths.folder, { recursive: true })
  assert.deepEqual(has(listSessionSecrets(config, paths)), [true, false, false], 'a session that was removed')
  fs.mkdirSync(paths.folder)
  fs.symlinkSync(paths.ignoredFiles, paths.ignoredFiles)
  assert.throws(
    () => listSessionSecrets(config, paths),
    { exitCode: 10 },
    'what cannot be read is not left out silently',
  )
})
