import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainPrivateFolders } from '#host/user-service'

test('folders that macOS asks a person about are named', () => {
  const folders = ['/h/me/documents/app', '/h/me/src/app', '/Volumes/disk/app', '/h/me/Desktop', '/h/me/Documents2']
  const text = explainPrivateFolders(folders, '/h/me', 'darwin') ?? ''
  assert.match(text, /reading \/h\/me\/documents\/app, \/Volumes\/disk\/app, \/h\/me\/Desktop\. /)
  assert.equal(explainPrivateFolders(['/h/me/src/app'], '/h/me', 'darwin'), undefined)
  assert.equal(explainPrivateFolders(folders, '/h/me', 'linux'), undefined)
})
