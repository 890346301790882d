import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRepositoryAddress } from '#forge'
import { chooseApiUrl } from '#forge/address.ts'

test('every form of a remote leads to the same repository', () => {
  for (const address of [
    'https://github.com/ada/notes.git',
    'https://github.com/ada/notes',
    'https://user:pw@github.com/ada/notes/',
    'git@github.com:ada/notes.git',
    'github.com:ada/notes',
    'ssh://git@github.com/ada/notes.git',
    'ssh://git@ssh.github.com:443/ada/notes.git',
    'git://GitHub.com/ada/notes',
  ]) {
    const { host, owner, name } = parseRepositoryAddress(address) ?? {}
    assert.deepEqual([host, owner, name], ['github.com', 'ada', 'notes'], address)
  }
})

test('a path, and what has no owner, leads to no repository', () => {
  for (const address of [
    '/srv/git/notes.git',
    '../notes',
    'file:///srv/a/b',
    'C:/a',
    'https://github.com/ada',
    'https://',
    '',
  ])
    assert.equal(parseRepositoryAddress(address), undefined, address)
  assert.equal(parseRepositoryAddress('https://gitlab.com/a/b/c.git'), undefined)
})

test('a port of the web belongs to the host, and one of ssh does not', () => {
  assert.equal(parseRepositoryAddress('https://git.corp.example:8443/a/b')?.host, 'git.corp.example:8443')
  assert.equal(parseRepositoryAddress('ssh://git@git.corp.example:2222/a/b')?.host, 'git.corp.example')
})

test('the API of a host is known for GitHub, and for the host of the setting', () => {
  const choose = (host: string, setting = '', isPlainHttp = false) =>
    chooseApiUrl({ host, owner: 'a', name: 'b', isPlainHttp }, setting)
  assert.deepEqual(choose('github.com'), { url: 'https://api.github.com', isKnown: true })
  assert.deepEqual(choose('corp.ghe.com'), { url: 'https://api.corp.ghe.com', isKnown: true })
  assert.deepEqual(choose('git.corp.example'), { url: 'https://git.corp.example/api/v3', isKnown: false })
  assert.deepEqual(choose('git.corp.example', 'https://git.corp.example/api/v3/'), {
    url: 'https://git.corp.example/api/v3',
    isKnown: true,
  })
  assert.equal(choose('gitlab.com', 'https://api.github.com').isKnown, false, 'as GitHub Actions sets it')
  assert.equal(choose('git.corp.example', '', true).url, 'https://git.corp.example/api/v3', 'no token in the clear')
})
