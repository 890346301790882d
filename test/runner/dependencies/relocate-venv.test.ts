import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { runProgram } from '#host/exec.ts'
import { copyTree } from '#host/fs'
import { relocateVenv } from '#runner/dependencies/relocate-venv.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const venv = await runProgram('python3', ['-c', 'import venv, ensurepip'])

it('a copied Python environment runs its own programs on its own project', {
  skip: venv.exitCode === 0 ? false : 'python3 has no venv: `apt-get install python3-venv`',
}, async t => {
  // Without a blank in the path: the kernel allows none after #!, and pip then writes its scripts differently.
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-venv-')))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const [from, to] = [path.join(folder, 'from'), path.join(folder, 'to')]
  for (const [tree, answer] of [
    [from, 'the original'],
    [to, 'the copy'],
  ] as const) {
    fs.mkdirSync(path.join(tree, 'src'), { recursive: true })
    fs.writeFileSync(path.join(tree, 'src/mine.py'), `answer = ${JSON.stringify(answer)}\n`)
  }
  assert.equal((await runProgram('python3', ['-m', 'venv', path.join(from, '.venv')])).exitCode, 0)
  const packages = path.join(from, '.venv/lib', fs.readdirSync(path.join(from, '.venv/lib'))[0] ?? '', 'site-packages')
  fs.writeFileSync(path.join(packages, '__editable__.mine-1.0.pth'), `${path.join(from, 'src')}\n`)
  const tool = `#!${path.join(from, '.venv/bin/python3')}\nimport mine, sys\nprint(mine.answer, sys.prefix)\n`
  fs.writeFileSync(path.join(from, '.venv/bin/tool'), tool, { mode: 0o755 })

  await copyTree(path.join(from, '.venv'), path.join(to, '.venv'))
  relocateVenv(path.join(to, '.venv'), from, to)
  const copy = await runProgram(path.join(to, '.venv/bin/tool'), [])
  assert.equal(copy.stdout, `the copy ${path.join(to, '.venv')}\n`, copy.stderr)
  const original = await runProgram(path.join(from, '.venv/bin/tool'), [])
  assert.equal(original.stdout, `the original ${path.join(from, '.venv')}\n`)
})

it('the record of where a package was installed from names the copy', t => {
  const folder = createScratchFolder(t)
  const [from, to] = [path.join(folder, 'from'), path.join(folder, 'to')]
  const info = path.join(to, '.venv/lib/python3.12/site-packages/mine-1.0.dist-info')
  fs.mkdirSync(info, { recursive: true })
  fs.writeFileSync(path.join(to, '.venv/pyvenv.cfg'), `home = /usr/bin\nuv = 0.9.5\nprompt = ${from}\n`)
  const record = (tree: string) => JSON.stringify({ url: pathToFileURL(tree).href, dir_info: { editable: true } })
  fs.writeFileSync(path.join(info, 'direct_url.json'), record(from))
  relocateVenv(path.join(to, '.venv'), from, to)
  assert.equal(fs.readFileSync(path.join(info, 'direct_url.json'), 'utf8'), record(to))
  assert.match(fs.readFileSync(path.join(to, '.venv/pyvenv.cfg'), 'utf8'), new RegExp(`prompt = ${to}`))
})

it('a folder that is not a Python environment is left alone', t => {
  const folder = createScratchFolder(t)
  fs.mkdirSync(path.join(folder, 'bin'))
  fs.writeFileSync(path.join(folder, 'bin/x'), '/from/here')
  relocateVenv(folder, '/from', '/to')
  assert.equal(fs.readFileSync(path.join(folder, 'bin/x'), 'utf8'), '/from/here')
})
