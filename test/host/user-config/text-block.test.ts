/** A block of lines in a text file of the user: it is added once, and removed without a trace. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { installEntries, listChangedFiles, type TextBlock, uninstallEntries } from '#host/user-config'
import { insertBlock, removeBlock } from '#host/user-config/text-block.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const block: TextBlock = { name: 'dispatch rules', lines: ['@/opt/my\\ dispatch/CLAUDE.md'] }
const inserted = '<!-- dispatch rules -->\n@/opt/my\\ dispatch/CLAUDE.md\n<!-- /dispatch rules -->'

const texts: [name: string, text: string][] = [
  ['an empty file', ''],
  ['one line', '# Mine\n'],
  ['no line break at the end', '# Mine'],
  ['blank lines at the end', '# Mine\n\n\n'],
  ['CRLF', '# Mine\r\n\r\nWrite tests.\r\n'],
  ['CRLF without a line break at the end', '# Mine\r\nWrite tests.'],
  ['a byte order mark', '\ufeff# Mine\n'],
  ['a comment that only looks like the block', '# Mine\n  <!-- dispatch rules -->\n<!-- dispatch rules --> x\n'],
  ['the markers in a sentence', 'I read `<!-- dispatch rules -->` and `<!-- /dispatch rules -->`.\n'],
]

for (const [name, text] of texts)
  test(`${name}: the block comes once and goes without a trace`, () => {
    const grown = insertBlock(text, block)
    assert.ok(grown.startsWith(text) && grown.replaceAll('\r\n', '\n').endsWith(`${inserted}\n`), grown)
    assert.equal(insertBlock(grown, block), grown)
    assert.equal(removeBlock(grown, block), text)
    if (text !== '') assert.equal(removeBlock(`Before.\n${grown}`, block), `Before.\n${text}`)
    assert.equal(removeBlock(text, block), text)
  })

test('lines that come after the block stay on lines of their own', () => {
  assert.equal(removeBlock(`${insertBlock('# Mine', block)}After.\n`, block), '# Mine\nAfter.\n')
  assert.equal(removeBlock(`${insertBlock('# Mine\n', block)}After.\n`, block), '# Mine\nAfter.\n')
  assert.equal(removeBlock(`${insertBlock('', block)}After.\n`, block), 'After.\n')
})

test('a line that a person wrote inside the block stays', () => {
  const edited = insertBlock('# Mine\n', block).replace('CLAUDE.md\n', 'CLAUDE.md\nWrite tests.\n')
  assert.equal(removeBlock(edited, block), '# Mine\n\nWrite tests.\n')
})

test('a block of an older install is replaced where it is, with its copies', () => {
  assert.equal(removeBlock(`${insertBlock('# Mine\n', block)}\n${inserted}\n`, block), '# Mine\n')
  const moved = { ...block, lines: ['@/srv/dispatch/CLAUDE.md'] }
  const old = `${insertBlock('# Mine\n', moved)}After.\n`
  assert.equal(insertBlock(old, block), `# Mine\n\n${inserted}\nAfter.\n`)
})

test('a file that has the line already is left as it is', () => {
  const text = '# Mine\n@/opt/my\\ dispatch/CLAUDE.md\n'
  assert.equal(insertBlock(text, block), text)
})

test('the journal gives the file back, or removes one that dispatch created', async t => {
  const folder = createScratchFolder(t)
  const [journal, file] = [path.join(folder, 'installed.json'), path.join(folder, 'claude/CLAUDE.md')]
  await installEntries(journal, file, block)
  assert.equal(fs.readFileSync(file, 'utf8'), `${inserted}\n`)
  assert.deepEqual(listChangedFiles(journal), [file])
  await uninstallEntries(journal, file)
  assert.deepEqual(fs.readdirSync(folder), [], 'the folder that dispatch made goes too')

  await installEntries(journal, file, block)
  fs.appendFileSync(file, 'Mine.\n')
  await uninstallEntries(journal, file)
  assert.equal(fs.readFileSync(file, 'utf8'), 'Mine.\n')

  const real = path.join(folder, 'dotfiles.md')
  fs.writeFileSync(real, 'Linked.', { mode: 0o640 })
  fs.rmSync(file)
  fs.symlinkSync(real, file)
  await installEntries(journal, file, block)
  assert.ok(fs.lstatSync(file).isSymbolicLink())
  assert.equal(fs.readFileSync(real, 'utf8'), `Linked.\n${inserted}\n`)
  assert.equal(fs.statSync(real).mode & 0o777, 0o640)
  fs.writeFileSync(real, fs.readFileSync(real, 'utf8').replace('Linked', 'Changed'))
  await uninstallEntries(journal, file)
  assert.equal(fs.readFileSync(real, 'utf8'), 'Changed.')
  assert.ok(!fs.existsSync(journal))
})
