import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { leaveOutCheckout, listPythonsOfCheckout } from '#host/toolchains'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('no folder of the checkout is on PATH, also through a link; what only links out of it stays', t => {
  const home = createScratchFolder(t)
  const checkout = path.join(home, 'src/project')
  const tools = path.join(home, 'tools/bin')
  for (const folder of [path.join(checkout, '.venv/bin'), tools]) fs.mkdirSync(folder, { recursive: true })
  fs.symlinkSync(path.join(checkout, '.venv'), path.join(home, 'current'))
  fs.symlinkSync(tools, path.join(checkout, 'profile'))
  fs.symlinkSync(path.join(home, 'src'), path.join(home, 'link'))
  const folders = [
    `${checkout}/.venv/bin`,
    `${checkout}/node_modules/.bin`,
    `${home}/current/bin`,
    `${home}/link/project/.venv/bin`,
    `${checkout}/profile`,
    `${checkout}-2/bin`,
    'node_modules/.bin',
    '/usr/bin',
  ]
  const { searchPath, leftOut } = leaveOutCheckout(checkout, folders.join(':'), home)
  assert.equal(searchPath, [tools, `${checkout}-2/bin`, 'node_modules/.bin', '/usr/bin'].join(':'))
  assert.deepEqual(leftOut, ['.venv/bin', 'node_modules/.bin'])
  assert.equal(leaveOutCheckout(`${home}/link/project`, folders.join(':'), home).searchPath, searchPath)
})

test('without a checkout, and where the home itself is one, PATH stays as it is', t => {
  const home = createScratchFolder(t)
  const searchPath = `${home}/.local/bin:/usr/bin`
  for (const checkout of [undefined, home, path.dirname(home), '/'])
    assert.deepEqual(leaveOutCheckout(checkout, searchPath, home), { searchPath, leftOut: [] })
})

test('an environment elsewhere in which the checkout is installed in place is left out', t => {
  const home = createScratchFolder(t)
  const checkout = path.join(home, 'project')
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(home, name)), { recursive: true })
    fs.writeFileSync(path.join(home, name), text)
  }
  fs.mkdirSync(checkout)
  for (const name of ['setuptools', 'pth', 'other']) {
    write(`envs/${name}/pyvenv.cfg`, 'home = /usr/bin')
    fs.mkdirSync(path.join(home, `envs/${name}/bin`))
  }
  const packages = 'lib/python3.12/site-packages'
  write(`envs/setuptools/${packages}/__editable___p_1_0_finder.py`, `MAPPING = {'p': '${checkout}/src/p'}`)
  write(`envs/pth/${packages}/_p.pth`, `${checkout}/src\n`)
  write(`envs/other/${packages}/q.pth`, `${checkout}-2/src\n`)
  write(`.local/${packages}/p.pth`, `${checkout}/src\n`)
  write('envs/conda/conda-meta/history', '')
  write(`envs/conda/${packages}/p.pth`, `${checkout}/src\n`)
  fs.mkdirSync(path.join(home, 'envs/conda/bin'))
  const [setuptools, pth, other, conda] = ['setuptools', 'pth', 'other', 'conda'].map(
    name => `${home}/envs/${name}/bin`,
  )
  const { searchPath, leftOut } = leaveOutCheckout(
    checkout,
    [setuptools, pth, other, conda, `${home}/.local/bin`].join(':'),
    home,
  )
  assert.equal(searchPath, `${other}:${home}/.local/bin`)
  assert.deepEqual(leftOut, [setuptools, pth, conda])
})

test('a Python that has other programs too, and loads the checkout, is named', t => {
  const home = createScratchFolder(t)
  const checkout = path.join(home, 'project')
  const files = {
    'usr/lib/python3/dist-packages/p.pth': checkout,
    'clean/lib/python3.12/site-packages/p.pth': `${checkout}-2`,
    'pyenv/versions/3.12.1/lib/python3.12/site-packages/__editable___p_finder.py': `MAPPING = {'p': '${checkout}/p'}`,
    'pyenv/versions/3.11.9/lib/python3.11/site-packages/q.pth': '/elsewhere',
    'venv/pyvenv.cfg': '',
    'venv/lib/python3.12/site-packages/p.pth': checkout,
  }
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(home, name)), { recursive: true })
    fs.writeFileSync(path.join(home, name), text)
  }
  const searchPath = ['usr/bin', 'clean/bin', 'pyenv/shims', 'venv/bin'].map(name => path.join(home, name)).join(':')
  assert.deepEqual(listPythonsOfCheckout(checkout, searchPath), [`${home}/usr`, `${home}/pyenv/versions/3.12.1`])
})
