import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { installFolder } from '#host/config'
import { openFaces } from '#scripts/open-faces.ts'

const own = path.join(installFolder, 'cli/example.ts')
const at = (file: string) => JSON.stringify(path.join(installFolder, file))

test('a name of a face is imported from the file behind it', () => {
  assert.equal(
    openFaces(own, "import { type Config, readConfig as read } from '#host/config'\n"),
    `import { readConfig as read } from ${at('host/config/config.ts')}\n`,
  )
})

test('names from several files become several imports', () => {
  const opened = openFaces(own, "import {\n  readLog,\n  followLog,\n} from '#session/log'\n")
  assert.equal(
    opened,
    `import { readLog as readLog } from ${at('session/log/log.ts')}; import { followLog as followLog } from ${at('session/log/follow.ts')}\n`,
  )
})

test('files, types and packages stay as they are', () => {
  for (const source of [
    "import { DispatchError } from '#host/error.ts'\n",
    "import type { Session } from '#session'\n",
    "import { z } from 'zod'\n",
  ])
    assert.equal(openFaces(own, source), source)
})

test('a face with code of its own does not bring the rest along', () => {
  const face = path.join(installFolder, 'runner/index.ts')
  const source = "export { stopSession } from './stop-session.ts'\nexport async function runSession() {}\n"
  assert.doesNotMatch(openFaces(face, source), /stop-session/)
  assert.equal(
    openFaces(own, "import { launchSession } from '#runner'\n"),
    'import { launchSession as launchSession } from "#runner"\n',
  )
})
