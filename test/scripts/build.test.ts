import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { buildFolder, installFolder } from '#host/config'

const folder = path.join(installFolder, buildFolder)
const skip = fs.existsSync(path.join(folder, 'dispatch.js')) ? false : 'not built; to build it: npm run build'

/** The files of the build that this one loads at once, with itself. */
function listLoaded(file: string, known = new Set<string>()): Set<string> {
  if (known.has(file)) return known
  known.add(file)
  const source = fs.readFileSync(path.join(folder, file), 'utf8')
  for (const [, name = ''] of source.matchAll(/^(?:import|export) (?:[^;"]* from )?"\.\/([^"]+)";$/gm))
    listLoaded(name, known)
  return known
}

/** The chunks of the newest build that are named after a source. */
function listChunks(name: string): string[] {
  const { mtimeMs } = fs.statSync(path.join(folder, 'dispatch.js'))
  return fs
    .readdirSync(folder)
    .filter(file => new RegExp(`^${name}-[\\w-]{8}\\.js$`).test(file))
    .filter(file => Math.abs(fs.statSync(path.join(folder, file)).mtimeMs - mtimeMs) < 60_000)
}

test('a command loads few files, and a part that it loads later does not wait for its program', { skip }, () => {
  for (const name of ['ls', 'land', 'show']) {
    const chunks = listChunks(name)
    assert.ok(chunks.length > 0, name)
    for (const chunk of chunks) {
      const loaded = listLoaded(chunk)
      assert.ok(loaded.size > 1 && loaded.size < 30, `${chunk} loads ${loaded.size} files`)
      assert.ok(!loaded.has('commands.js') && !loaded.has('task.js'), `${chunk} loads a program`)
    }
  }
})
