/** Files that were made to harm the page, its reader or its machine. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import { after, before, test } from 'node:test'
import { waitUntil } from '../fixtures/scratch.ts'
import { createWebHome, startApp } from '../fixtures/web-sessions.ts'
import { createWorkSession, type Files, type WorkSession } from '../fixtures/web-work.ts'

const { home, workspace, remove } = createWebHome()
let page: Awaited<ReturnType<typeof startApp>>
let session: WorkSession
let url: string

/** Names as git may have them. Not one of them is what its text says. */
const hostileNames = [
  '<script>alert(1)<',
  '"onmouseover="alert(1)',
  "'; touch owned; '",
  '-rf',
  '--output=owned',
  ':(glob)**',
  ':!a',
  'HEAD',
  '...',
  '..\\..\\etc',
  '%2e%2e',
  'line\nbreak',
  'tab\there',
  'return\rhere',
  'escape\u001b[31m',
  'right\u202egnp.exe',
  '\udcff\udcfe bytes',
  '🦊 fox',
  ' space ',
  'a?b#c&d=e',
  'n'.repeat(255),
]

const markdown = `# Title <img src=x onerror=alert(1)>

<script>alert(1)</script>

[run](javascript:alert(1)) [data](data:text/html,x) [host](//evil.test/x) [back](\\\\evil.test) [up](../../../../session.json)
[web](https://example.test/?a=1&b="2") [mail](mailto:a@example.test) [file](file:///etc/passwd)
![remote](https://evil.test/a.png) ![data](data:image/png;base64,AAAA) ![own](pic.svg "t") ![run](javascript:alert(1))
[ref]: javascript:alert(1)
[own](./<script>alert(1)<)  <a href="javascript:alert(1)">x</a> &lt;b&gt; <https://example.test>

| a |
|:-:|
| <b onclick=alert(1)>x</b> |

\`\`\`html" onload="alert(1)
</code></pre><script>alert(1)</script>
\`\`\`
`
const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'

before(async () => {
  page = await startApp(home)
  const work: Files = {
    'doc/README.md': markdown,
    'doc/pic.svg': svg,
    'fake.png': '<html><script>alert(1)</script></html>',
    'page.html': '<html><script>alert(1)</script></html>',
    'ansi.log': '\u001b]0;owned\u0007\u001b[2Jred\u202eder\n',
    'line.json': 'x'.repeat(1024 * 1024),
    'lines.txt': '\n'.repeat(400_000),
    'big.bin': Buffer.alloc(100 * 1024 * 1024, 'big '),
    'large.bin': Buffer.alloc(40 * 1024 * 1024, 'large '),
    'nested.md': `${'> '.repeat(5000)}deep\n${'['.repeat(20_000)}\n${'*a _b '.repeat(5000)}`,
    'large.md': '> quoted\n\n'.repeat(7000),
  }
  for (const name of hostileNames) work[`names/${name}`] = `content of ${name}\n`
  for (let index = 0; index < 5000; index++) work[`many/${index}`] = `${index}`
  session = await createWorkSession(workspace, '2026-11-30-hostile-0001', { base: {}, work })
  url = `/s/${session.id}`
})
after(() => {
  page.stop()
  remove()
})

async function get(target: string): Promise<string> {
  const answer = await page.ask(target)
  assert.equal(answer.status, 200, target)
  assertHarmless(answer.body)
  return answer.body
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069]/

/** No script but the page's own, no attribute that runs something, and nothing that is loaded from elsewhere. */
function assertHarmless(body: string): void {
  assert.ok(!hidden.test(body))
  assert.equal(body.match(/<script/gi)?.length, 1)
  for (const [, name = '', attributes = ''] of body.matchAll(/<([a-zA-Z][^\s>/]*)([^>]*)>/g)) {
    const plain = attributes.replace(/"[^"]*"/g, '""')
    assert.ok(!/\bon\w+|style/i.test(plain), `<${name}${attributes}>`)
    for (const [, attribute, value = ''] of attributes.matchAll(/\b(href|src)="([^"]*)"/g))
      assert.match(value, attribute === 'src' ? /^\/(?!\/)/ : /^(\/(?!\/)|#|https?:\/\/)/, `<${name}${attributes}>`)
  }
}

test('each name leads from its folder to its own file, and to a safe download', async () => {
  const body = await get(`${url}/tree/names/`)
  const addresses = [...body.matchAll(/<li><a href="([^"]+)"/g)].map(([, address = '']) => address)
  assert.equal(addresses.length, hostileNames.length)
  const contents = new Set<string>()
  for (const address of addresses) {
    const [download = ''] = /\/s\/[^"]*\/download\/[^"]*/.exec(await get(address)) ?? []
    const { status, headers, body: content } = await page.ask(download)
    assert.equal(status, 200, download)
    assert.match(
      String(headers['content-disposition']),
      /^attachment; filename="[^"%;']+"; filename\*=UTF-8''[\w.~%-]+$/,
    )
    contents.add(content)
  }
  assert.equal(contents.size, hostileNames.length)
  await get(url)
})

test('Markdown runs nothing and loads nothing from elsewhere', async () => {
  const body = await get(`${url}/tree/doc/README.md`)
  const article = /<article[^>]*>([\s\S]*)<\/article>/.exec(body)?.[1] ?? ''
  const links = [...article.matchAll(/<a href="([^"]*)" rel="noreferrer noopener nofollow">/g)].map(([, href]) => href)
  assert.deepEqual(links, [
    `${url}/tree/doc/%5Cevil.test`, // A file of the tree with this name.
    'https://example.test/?a=1&#38;b=%222%22',
    'https://evil.test/a.png',
    `${url}/tree/doc/%3Cscript%3Ealert%281%29%3C`,
    'https://example.test',
  ])
  const pictures = [...article.matchAll(/<img src="([^"]*)"/g)].map(([, source]) => source)
  assert.deepEqual(pictures, [`${url}/raw/${session.work.tree}/doc/pic.svg`])
  assert.match(article, /&#60;script&#62;alert\(1\)&#60;\/script&#62;/)
  assert.match(article, /class="center"/)
})

test('SVG is text unless it is asked for, and its answer runs no script', async () => {
  assert.match(await get(`${url}/tree/doc/pic.svg`), /&lt;script&gt;/)
  const body = await get(`${url}/tree/doc/pic.svg?view=image`)
  const [source = ''] = /\/s\/[^"]*\/raw\/[^"]*/.exec(body) ?? []
  const { headers } = await page.ask(source)
  assert.equal(headers['content-type'], 'image/svg+xml')
  assert.match(String(headers['content-security-policy']), /^sandbox; default-src 'none'/)
  for (const name of ['fake.png', 'page.html']) {
    const answer = await page.ask(`${url}/raw/${session.work.tree}/${name}`)
    assert.equal(answer.headers['content-type'], 'application/octet-stream')
    assert.match(String(answer.headers['content-disposition']), /^attachment/)
  }
  assert.match(await get(`${url}/tree/fake.png`), /&lt;html&gt;/)
})

test('escapes, long lines and many lines are shown within limits', async () => {
  assert.match(await get(`${url}/tree/ansi.log`), /\\u\{1b\}\]0;owned\\u\{7\}\\u\{1b\}\[2Jred\\u\{202e\}der/)
  const line = await get(`${url}/tree/line.json`)
  assert.ok(line.length < 10_000)
  assert.match(line, /1 long line cut at 2000 characters.*Only the beginning is shown/s)
  const lines = await get(`${url}/tree/lines.txt`)
  assert.equal(lines.match(/<li>/g)?.length, 10_000)
  assert.match(lines, /Only the beginning is shown/)
  assert.match(await get(`${url}/tree/nested.md`), /<blockquote>/)
  assert.doesNotMatch(await get(`${url}/tree/large.md`), /<blockquote>/)
  assert.match(await get(`${url}/tree/nested.md?view=text`), /more characters\]/)
})

test('a folder of 5,000 files has pages, and a number that does not exist is the nearest', async () => {
  const count = async (query: string) => (await get(`${url}/tree/many/${query}`)).match(/<li>/g)?.length
  assert.equal(await count(''), 500)
  assert.equal(await count('?page=10'), 500)
  assert.match(await get(`${url}/tree/many/?page=99`), /Page 10 of 10/)
  assert.match(await get(`${url}/tree/many/?page=-1`), /Page 1 of 10/)
  assert.match(await get(`${url}/tree/many/?page=x`), /Page 1 of 10/)
})

test('a file of 100 MB is not sent, and the page has a command that prints it', async () => {
  const body = await get(`${url}/tree/big.bin`)
  assert.match(body, /git -C .*repository\.git cat-file blob [0-9a-f]{40} &gt; file/)
  assert.equal((await page.ask(`${url}/download/${session.work.tree}/big.bin`)).status, 403)
})

const noProcesses = fs.existsSync('/proc/self/task') ? false : 'it counts processes in /proc, so run it on Linux'

test('git ends when the reader goes away, and few run at a time', { skip: noProcesses }, async () => {
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, countGit())
  }, 1)
  const pages = Array.from({ length: 60 }, (_, index) => page.ask(`${url}/tree/many/${index}`))
  const target = `${url}/download/${session.work.tree}/large.bin`
  const downloads = await Promise.all(Array.from({ length: 12 }, () => openAndHold(target)))
  for (const { status } of await Promise.all(pages)) assert.equal(status, 200)
  clearInterval(watch)
  assert.ok(most > 0 && most <= 8, `${most} at a time`)
  for (const request of downloads) request.destroy()
  await waitUntil(() => countGit() === 0, 'git to end')
  const { status, headers } = await page.ask(target)
  assert.deepEqual([status, headers['content-length']], [200, String(40 * 1024 * 1024)])
})

/** Send a request and read nothing of its answer. Resolves once it was sent. */
async function openAndHold(target: string): Promise<http.ClientRequest> {
  const request = http.get({ host: '127.0.0.1', port: page.port, path: target, agent: false })
  request.on('error', () => undefined)
  request.on('response', response => response.pause())
  await new Promise<void>(resolve => request.once('socket', socket => socket.once('connect', resolve)))
  return request
}

/** How many git processes this process has. */
function countGit(): number {
  const isGit = (pid: string) => {
    try {
      return fs.readFileSync(`/proc/${pid}/comm`, 'utf8') === 'git\n'
    } catch {
      return false
    }
  }
  const children = fs.readdirSync('/proc/self/task').flatMap(task => {
    try {
      return fs.readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean)
    } catch {
      return []
    }
  })
  return children.filter(isGit).length
}
