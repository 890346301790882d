import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { buildFolder, installFolder } from '#host/config'

const folder = path.join(installFolder, buildFolder)
const programs = ['commands', 'task', 'runner', 'judge', 'deliver', 'sandbox'].map(name => `${name}.js`)
const skip = fs.existsSync(path.join(folder, 'dispatch.js')) ? false : 'not built; to build it: npm run build'

/** The files of the build that one loads at once, and all that it may load, later too. */
function readImports(file: string): { atOnce: string[]; ever: string[] } {
  const source = fs.readFileSync(path.join(folder, file), 'utf8')
  const find = (pattern: RegExp) => [...source.matchAll(pattern)].flatMap(([, name]) => name ?? [])
  const atOnce = find(/^(?:import|export) (?:[^;"]* from )?"\.\/([^"]+)";$/gm)
  return { atOnce, ever: [...atOnce, ...find(/\bimport\("\.\/([\w-]+-[\w-]{8}\.js)"\)/g)] }
}

/** Files and all that they load in turn. */
function follow(files: string[], list: (file: string) => string[], known = new Set<string>()): Set<string> {
  for (const file of files) if (!known.has(file)) follow(list(file), list, known.add(file))
  return known
}

const listAtOnce = (file: string) => readImports(file).atOnce
const listEver = (file: string) => readImports(file).ever

test('a command loads few files', { skip }, () => {
  const files = [...follow(['commands.js'], listEver)]
  for (const name of ['ls', 'land', 'show']) {
    const chunks = files.filter(file => new RegExp(`^${name}-[\\w-]{8}\\.js$`).test(file))
    assert.ok(chunks.length > 0, name)
    for (const chunk of chunks) {
      const { size } = follow([chunk], listAtOnce)
      assert.ok(size > 1 && size < 30, `${chunk} loads ${size} files`)
    }
  }
})

test('no file waits for itself, and none that is loaded later waits for its program', { skip }, () => {
  for (const file of follow(programs, listEver)) {
    const loaded = follow(listAtOnce(file), listAtOnce)
    assert.ok(!loaded.has(file), `${file} loads itself`)
    assert.deepEqual(
      programs.filter(program => loaded.has(program)),
      [],
      file,
    )
  }
})
