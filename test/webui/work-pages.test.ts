/** The pages of the work's files, over HTTP and on real repositories. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { sha256 } from '#host/hash.ts'
import { getLfsObject } from '#host/lfs'
import { createTestSession, createWebHome, startApp } from '../fixtures/web-sessions.ts'
import { createWorkSession, type WorkSession } from '../fixtures/web-work.ts'

const { home, workspace, remove } = createWebHome()
let page: Awaited<ReturnType<typeof startApp>>
let session: WorkSession
let url: string

const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(40, 7)])
const lfsContent = 'large\n'.repeat(100)
const pointerTo = (text: string) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(text)}\nsize ${text.length}\n`

before(async () => {
  page = await startApp(home)
  session = await createWorkSession(workspace, '2026-11-30-files-0001', {
    base: {
      'src/a.ts': 'one\ntwo\nthree\n',
      'img/a.png': png,
      gone: 'it was here\n',
      'old name': 'a\nb\nc\nd\ne\nf\n',
      script: '#!/bin/sh\n',
      'same/x': 'same\n',
      '.gitattributes': '* -diff diff=evil filter=evil\n',
    },
    work: {
      'src/a.ts': 'one\n2 <b>\nthree\n',
      'img/a.png': Buffer.concat([png, Buffer.alloc(1)]),
      gone: null,
      'old name': null,
      'new name': 'a\nb\nc\nd\ne\nf\n',
      script: { mode: '100755', content: '#!/bin/sh\n' },
      link: { mode: '120000', content: '../../../etc/passwd' },
      sub: { mode: '160000', content: 'a'.repeat(40) },
      'win.txt': 'a\r\nb\r\n',
      'utf16.txt': Buffer.from('\ufeffwide\nletters\n', 'utf16le'),
      'latin1.txt': Buffer.from('caf\xe9\n', 'latin1'),
      'bin.dat': Buffer.from([0, 1, 2, 3]),
      'here.lfs': pointerTo(lfsContent),
      'wrong.lfs': pointerTo('wrong'),
      'absent.lfs': pointerTo('absent'),
      empty: '',
    },
  })
  url = `/s/${session.id}`
  writeLfsObject(lfsContent, lfsContent)
  writeLfsObject('wrong', 'forge')
})
after(() => {
  page.stop()
  remove()
})

function writeLfsObject(named: string, content: string): void {
  const file = getLfsObject(session.paths.lfsObjects, { oid: sha256(named), bytes: named.length })
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, content)
}

async function get(target: string, status = 200): Promise<string> {
  const answer = await page.ask(target)
  assert.equal(answer.status, status, `${target}: ${answer.body}`)
  return answer.body
}

test('the page of a session lists what the work changed, with lines', async () => {
  const body = await get(url)
  assert.match(body, /The tree that was judged, commit [0-9a-f]{10}\./)
  const rows = [...body.matchAll(/<li><a href="([^"]+)">([^<]+)<\/a>(.*?)<\/li>/g)]
  const find = (name: string) => rows.find(([, , text]) => text === name)?.[3] ?? ''
  assert.match(find('src/a.ts'), /changed.*\+1.*−1/)
  assert.match(find('gone'), /deleted.*\+0.*−1/)
  assert.match(find('new name'), /from old name.*renamed/)
  assert.match(find('win.txt'), /added.*\+2/)
  assert.ok(!rows.some(([, , text]) => text === 'same/x'))
})

test('attributes of the tree hide no change', async () => {
  const body = await get(`${url}/tree/src/a.ts`)
  assert.match(body, /<li class="deleted" data-number="2" data-mark="-">two<\/li>/)
  assert.match(body, /<li class="added" data-number="2" data-mark="\+">2 &lt;b&gt;<\/li>/)
  assert.match(body, /<li class="same" data-number="3" data-mark="">three<\/li>/)
  assert.match(await get(`${url}/tree/src/a.ts?view=text`), /<li>2 &lt;b&gt;<\/li>\s*<li>three<\/li>/)
})

test('a folder has its entries, folders first, and marks what changed', async () => {
  const body = await get(`${url}/tree/`)
  const names = [...body.matchAll(/<li><a href="[^"]+">(?:<del>)?([^<]+)</g)].map(([, name]) => name)
  assert.deepEqual(names.slice(0, 3), ['img/', 'same/', 'src/'])
  assert.deepEqual(names.at(-1), 'gone')
  assert.match(body, />src\/<\/a><span class="notes"><strong>changes below/)
  assert.doesNotMatch(body, />same\/<\/a><span class="notes"><strong>/)
  assert.match(body, />empty<\/a>.*?added.*?0 bytes/)
})

test('files of every kind say what they are', async () => {
  for (const [name, words] of [
    ['gone', /The work deleted this file.*it was here/s],
    ['link', /symbolic link, not followed.*<li>\.\.\/\.\.\/\.\.\/etc\/passwd<\/li>/s],
    ['sub', /submodule.*a{40}/s],
    ['script', /changed, made executable/],
    ['new%20name', /renamed from old name/],
    ['win.txt', /CRLF.*<li>a<\/li>\s*<li>b<\/li>/s],
    ['utf16.txt', /UTF-16LE.*<li>wide<\/li>\s*<li>letters<\/li>/s],
    ['latin1.txt', /Not UTF-8.*<li>caf\\xe9<\/li>/s],
    ['bin.dat', /A binary file\./],
    ['empty', /0 bytes, empty/],
  ] as const)
    assert.match(await get(`${url}/tree/${name}`), words, name)
})

test('a picture is shown before and after, and served by its content', async () => {
  const body = await get(`${url}/tree/img/a.png`)
  const sources = [...body.matchAll(/<img src="(\/s[^"]+)"/g)].map(([, source]) => source ?? '')
  const trees = [session.base.tree, session.work.tree]
  assert.deepEqual(
    sources,
    trees.map(tree => `${url}/raw/${tree}/img/a.png`),
  )
  for (const source of sources) {
    const { status, headers } = await page.ask(source)
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'image/png')
    assert.match(String(headers['content-security-policy']), /^sandbox; default-src 'none'/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['cache-control'], 'private, max-age=31536000, immutable')
  }
  const other = await page.ask(`${url}/raw/${session.work.tree}/src/a.ts`)
  assert.equal(other.headers['content-type'], 'application/octet-stream')
  assert.match(String(other.headers['content-disposition']), /^attachment/)
})

test('a download has its size and a tag, and answers HEAD and 304', async () => {
  const target = `${url}/download/${session.work.tree}/src/a.ts`
  const { headers, body } = await page.ask(target)
  assert.equal(body, 'one\n2 <b>\nthree\n')
  assert.equal(headers['content-length'], '16')
  assert.equal(headers['content-disposition'], `attachment; filename="a.ts"; filename*=UTF-8''a.ts`)
  const tag = `"${session.git('rev-parse', 'work:src/a.ts').trim()}"`
  assert.equal(headers.etag, tag)
  const head = await page.ask(target, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '16', ''])
  const same = await page.ask(target, { headers: { 'If-None-Match': tag } })
  assert.deepEqual([same.status, same.body], [304, ''])
  assert.equal((await page.ask(`${url}/download/${session.work.tree}/empty`)).headers['content-length'], '0')
})

test('the content behind a pointer of Git LFS is sent only if the session has it and it matches', async () => {
  const pages = await Promise.all(['here', 'wrong', 'absent'].map(name => get(`${url}/tree/${name}.lfs`)))
  for (const body of pages) assert.match(body, /A pointer of Git LFS/)
  const [address = ''] = /\/s\/[^"]*\/lfs\/[^"]*/.exec(pages[0] ?? '') ?? []
  const sent = await page.ask(address)
  assert.equal(sent.body, lfsContent)
  assert.match(String(sent.headers['content-disposition']), /^attachment/)
  assert.match(pages[2] ?? '', /does not have its content/)
  for (const name of ['wrong', 'absent', 'src/a.ts']) await get(`${url}/lfs/${session.work.tree}/${name}.lfs`, 404)
})

test('only the two trees of the session are served, and only files in them', async () => {
  const tree = session.work.tree
  for (const target of [
    `/raw/${session.git('rev-parse', 'work:src').trim()}/a.ts`,
    `/raw/HEAD/src/a.ts`,
    `/raw/--help/src/a.ts`,
    `/download/${tree}/src`,
    `/download/${tree}/link`,
    `/download/${tree}/sub`,
    `/download/${tree}/link/passwd`,
    `/download/${tree}/`,
    `/download/${tree}/src/../src/a.ts`,
    `/download/${tree}/%2e%2e/%2e%2e/session.json`,
    '/tree/src/b.ts',
    '/tree/src/a.ts/x',
    '/tree//src',
    '/tree/.git/config',
    '/tree/..%2f..%2fsession.json',
  ])
    assert.match(await get(`${url}${target}`, 404), /Not shown/, target)
  for (const target of ['/tree/%zz', '/tree/a%00b']) await get(`${url}${target}`, 400)
  await get(`/s/2026-11-30-nobody-0000/tree/`, 404)
  await get(`/s/..%2f..%2fetc/tree/`, 404)
  assert.equal((await page.ask(`${url}/tree/`, { method: 'POST' })).status, 405)
  assert.equal((await page.ask(`${url}/tree/`, { headers: { Host: 'evil.test' } })).status, 421)
})

test('before a verdict, the page says which tree it shows', async () => {
  const files = { base: { a: '1\n' }, work: { a: '2\n' } }
  const accepted = await createWorkSession(workspace, '2026-11-30-accepted-0002', { ...files, origin: 'accepted' })
  assert.match(await get(`/s/${accepted.id}`), /Not judged yet: the last accepted commit/)
  assert.match(await get(`/s/${accepted.id}/tree/a?view=text`), /<li>2<\/li>/)
  const base = await createWorkSession(workspace, '2026-11-30-base-0003', { ...files, origin: 'base' })
  const body = await get(`/s/${base.id}`)
  assert.match(body, /No work was submitted yet: these are the files of the base/)
  assert.match(body, /Nothing differs from the base/)
  assert.match(await get(`/s/${base.id}/tree/a`), /<li>1<\/li>/)
})

test('a session without files, and a repository that is empty, gone, changed or damaged, are told in words', async () => {
  const none = await createTestSession(workspace, '2026-11-30-none-0004')
  assert.match(await get(`/s/${none.id}`), /There are no files yet/)
  await get(`/s/${none.id}/tree/`, 404)
  const empty = await createWorkSession(workspace, '2026-11-30-empty-0005', { base: {} })
  assert.match(await get(`/s/${empty.id}`), /Nothing differs from the base/)
  assert.match(await get(`/s/${empty.id}/tree/`), /0 entries/)
  const files = { base: { a: '1\n' }, work: { a: '2\n', b: 'b\n' } }
  const damages: [string, RegExp, (session: WorkSession) => void][] = [
    ['gone', /is not there/, ({ paths }) => fs.rmSync(paths.bareRepository, { recursive: true })],
    [
      'link',
      /is not there/,
      ({ paths }) => {
        fs.renameSync(paths.bareRepository, `${paths.bareRepository}.x`)
        fs.symlinkSync(`${paths.bareRepository}.x`, paths.bareRepository)
      },
    ],
    [
      'objects',
      /cannot read this/,
      ({ paths }) => {
        fs.rmSync(path.join(paths.bareRepository, 'objects'), { recursive: true })
        fs.mkdirSync(path.join(paths.bareRepository, 'objects'))
      },
    ],
    [
      'config',
      /not as dispatch made it \(fsmonitor = evil\)/,
      ({ paths }) => fs.appendFileSync(path.join(paths.bareRepository, 'config'), '[core]\n\tfsmonitor = evil\n'),
    ],
  ]
  for (const [index, [name, words, damage]] of damages.entries()) {
    const damaged = await createWorkSession(workspace, `2026-11-30-${name}-01${index}0`, files)
    damage(damaged)
    assert.match(await get(`/s/${damaged.id}`), words, name)
    for (const target of ['tree/', 'tree/a', `raw/${damaged.work.tree}/a`])
      assert.match(await get(`/s/${damaged.id}/${target}`, 404), words, `${name} ${target}`)
  }
})

test('a file that does not match its hash is not shown, and a download of it ends early', async () => {
  const forged = await createWorkSession(workspace, '2026-11-30-forged-0006', { base: {}, work: { a: 'true\n' } })
  const hash = forged.git('rev-parse', 'work:a').trim()
  const other = forged.git('rev-parse', 'work^{tree}').trim()
  assert.notEqual(hash, other)
  const objects = path.join(forged.paths.bareRepository, 'objects')
  forged.git('config', 'core.bare', 'true')
  const { execFileSync } = await import('node:child_process')
  const environment = { PATH: process.env['PATH'] ?? '', GIT_DIR: forged.paths.bareRepository }
  for (const pack of fs.globSync(path.join(objects, 'pack/*.pack'))) {
    const aside = path.join(forged.paths.folder, path.basename(pack))
    fs.renameSync(pack, aside)
    execFileSync('git', ['unpack-objects', '-q'], { input: fs.readFileSync(aside), env: environment })
    for (const rest of fs.globSync(pack.replace(/pack$/, '*'))) fs.rmSync(rest)
  }
  const forgedHash = execFileSync('git', ['hash-object', '-w', '--stdin'], { input: 'fake\n', env: environment })
  const file = (name: string) => path.join(objects, name.slice(0, 2), name.slice(2).trim())
  fs.rmSync(file(hash))
  fs.copyFileSync(file(forgedHash.toString()), file(hash))
  assert.match(await get(`/s/${forged.id}/tree/a`, 404), /does not match its hash/)
  await get(`/s/${forged.id}/download/${forged.work.tree}/a`, 404)
})

test('a repository that names its objects by SHA-256 is shown as well', async () => {
  const wide = await createWorkSession(workspace, '2026-11-30-wide-0007', {
    base: { a: '1\n' },
    work: { a: '2\n' },
    objectFormat: 'sha256',
  })
  assert.match(await get(`/s/${wide.id}`), /1 file changed/)
  assert.match(await get(`/s/${wide.id}/tree/a`), /data-mark="\+">2<\/li>/)
  assert.equal((await page.ask(`/s/${wide.id}/download/${wide.work.tree}/a`)).body, '2\n')
})
