/**
 * `npm run bench:work [FILES]`: what the pages of a session's files cost in a repository of FILES (57,000) files, in many folders
 * and in one. The page runs in a process of its own. Times are medians in ms, and of the first request.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { startServer } from '#webui'
import { createWebHome } from '../fixtures/web-sessions.ts'
import { createWorkSession, type Files } from '../fixtures/web-work.ts'

const port = 20_000 + (process.pid % 20_000)

if (process.argv[2] === 'serve') await serve(process.argv[3] ?? '')
else await measure(Number(process.argv[2] ?? 57_000))

async function serve(home: string): Promise<void> {
  const installFolder = path.resolve(import.meta.dirname, '../..')
  const config = { home, workspace: path.join(home, 'workspace'), installFolder, WEBUI_PORT: port, WEBUI_HOSTS: '' }
  const page = await startServer(config)
  process.stdout.write(`${page.url}\n`)
}

async function measure(fileCount: number): Promise<void> {
  const { home, workspace, remove } = createWebHome()
  const base: Files = {}
  const flat: Files = {}
  const name = (index: number) => `package-${index % 40}/module-${index % 600}/file-${index}.ts`
  for (let index = 0; index < fileCount; index++) {
    base[name(index)] = `export const value${index} = ${index}\n`.repeat(5)
    flat[`all/file-${index}.txt`] = `${index}`
  }
  const changes = Array.from({ length: 30 }, (_, index) => [name(index), 'export const changed = true\n'])
  const many = await createWorkSession(workspace, '2026-11-30-many-0001', { base, work: Object.fromEntries(changes) })
  const one = await createWorkSession(workspace, '2026-11-30-one-0002', { base: {}, work: flat })
  const child = spawn(process.execPath, [import.meta.filename, 'serve', home], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [url] = await once(child.stdout.setEncoding('utf8'), 'data')
    const ask = createAsk(String(url).trim())
    const [wide, deep] = [`/s/${one.id}`, `/s/${many.id}`]
    const download = (index: number) => `${deep}/download/${many.work.tree}/${name(index)}`
    const rows: [string, string[]][] = [
      ['session, 30 files changed', [deep]],
      [`session, ${fileCount} files added`, [wide]],
      ['folder', [`${deep}/tree/package-1/`]],
      [`folder of ${fileCount} files`, [`${wide}/tree/all/?page=2`]],
      ['file', Array.from({ length: 500 }, (_, index) => `${deep}/tree/${name(index + 100)}`)],
      ['file with its change', Array.from({ length: 30 }, (_, index) => `${deep}/tree/${name(index)}`)],
      ['download', Array.from({ length: 500 }, (_, index) => download(index))],
    ]
    console.log(
      `${''.padEnd(30)} ${'first'.padStart(7)} ${'median'.padStart(7)} ${'a second'.padStart(9)} ${'RSS MB'.padStart(7)}`,
    )
    for (const [what, targets] of rows) {
      const times: number[] = []
      for (let run = 0; run < 21; run++) times.push(await time(() => ask(targets[run % targets.length] ?? '')))
      const [first = 0] = times
      const middle = times.toSorted((a, b) => a - b)[10] ?? 0
      const rate = await countRequests(index => ask(targets[index % targets.length] ?? ''))
      const figures = [first, middle, rate, readResidentMegabytes(child.pid)].map(figure => figure.toFixed(0))
      const [a = '', b = '', c = '', d = ''] = figures
      console.log(`${what.padEnd(30)} ${a.padStart(7)} ${b.padStart(7)} ${c.padStart(9)} ${d.padStart(7)}`)
    }
  } finally {
    child.kill()
    remove()
  }
}

function createAsk(url: string) {
  const agent = new http.Agent({ keepAlive: true })
  return (target: string) =>
    new Promise<void>((resolve, reject) => {
      http
        .get(`${url}${target}`, { agent }, response => {
          if (response.statusCode !== 200) reject(new Error(`${target}: HTTP ${response.statusCode}`))
          response.resume().on('end', resolve)
        })
        .on('error', reject)
    })
}

async function time(work: () => Promise<void>): Promise<number> {
  const startedAtMs = performance.now()
  await work()
  return performance.now() - startedAtMs
}

async function countRequests(ask: (index: number) => Promise<void>): Promise<number> {
  const endMs = performance.now() + 3000
  let count = 0
  const run = async () => {
    while (performance.now() < endMs) await ask(count++)
  }
  await Promise.all(Array.from({ length: 8 }, run))
  return count / 3
}

function readResidentMegabytes(pid = 0): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1000
}
