import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { runProgram } from '../../host/index.ts'
import { computeGenesisHash, renderVerdict, serializeEvidence } from '../../session/index.ts'

/** Where an act is done: the files of one copied session. */
export class SessionCopy {
  readonly folder: string

  private readonly id: string

  constructor(whole: string, folder: string) {
    this.folder = folder
    this.id = path.basename(whole)
    fs.cpSync(whole, this.folder, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
  }

  pathOf(name: string): string {
    return path.join(this.folder, name)
  }

  read(name: string): string {
    return fs.readFileSync(this.pathOf(name), 'utf8')
  }

  write(name: string, text: string): void {
    fs.rmSync(this.pathOf(name), { force: true })
    fs.writeFileSync(this.pathOf(name), text)
  }

  edit(name: string, from: string | RegExp, to: string): void {
    const text = this.read(name)
    assert.notEqual(text.replace(from, to), text, `${name} has no ${from}`)
    this.write(name, text.replace(from, to))
  }

  get lines(): string[] {
    return this.read('events.jsonl').split('\n').filter(Boolean)
  }

  set lines(lines: string[]) {
    this.write('events.jsonl', lines.map(line => `\n${line}\n`).join(''))
  }

  /** The log written anew, so that every line follows the one before it. */
  rechain(lines: string[]): void {
    let prev = computeGenesisHash(this.id)
    this.lines = lines.map((line, at) => {
      const made = JSON.stringify({ ...JSON.parse(line), seq: at + 1, prev })
      prev = hash('sha256', made)
      return made
    })
  }

  /** The place in the log of the last event of a kind. */
  findEvent(is: string): number {
    return this.lines.findLastIndex(line => JSON.parse(line).is === is)
  }

  async git(...words: string[]): Promise<void> {
    const ran = await runProgram('git', [
      '-C',
      this.pathOf('outputs'),
      '-c',
      'user.name=x',
      '-c',
      'user.email=x@localhost',
      ...words,
    ])
    assert.equal(ran.exitCode, 0, ran.stderr)
  }
}

/** The last verdict of its log with another reason. */
export const forgeVerdict = (copy: SessionCopy) => ({
  ...JSON.parse(copy.lines[copy.findEvent('verdict.given')] ?? ''),
  reason: 'all is well',
})

/** Everything that names something else is made to fit again: log, records, contract and verdict. Only the phone knows. */
export function forgeEverything(copy: SessionCopy): void {
  const record = JSON.parse(copy.read('evidence/round-1-C1.json'))
  const text = serializeEvidence({ ...record, milliseconds: 1 })
  copy.write('evidence/round-1-C1.json', text)
  const lines = copy.lines.map(line => {
    const event = JSON.parse(line)
    return JSON.stringify(event.record === 'round-1-C1' ? { ...event, sha256: hash('sha256', text) } : event)
  })
  copy.rechain(lines)
  const at = copy.findEvent('verdict.given')
  const log = { seq: at, head: hash('sha256', copy.lines[at - 1] ?? '') }
  const verdict = { ...JSON.parse(copy.read('verdict.json')), log }
  const verdictText = JSON.stringify(verdict, null, 2)
  for (const name of ['verdict.json', 'evidence/verdict-1.json']) copy.write(name, verdictText)
  copy.write('verdict.md', renderVerdict(verdict))
  const sha256 = hash('sha256', verdictText)
  copy.rechain(copy.lines.map((line, here) => (here === at ? JSON.stringify({ ...JSON.parse(line), sha256 }) : line)))
}

/** One byte of the last object of our own repository becomes another. */
export function corruptObject(copy: SessionCopy): void {
  const objects = copy.pathOf('evidence/trees.git/objects')
  const names = fs.readdirSync(objects, { recursive: true }).map(name => path.join(objects, `${name}`))
  const [last] = names.filter(file => /\/[0-9a-f]{2}\/[0-9a-f]{38}$|\.pack$/.test(file))
  assert.ok(last)
  const bytes = fs.readFileSync(last)
  fs.rmSync(last)
  bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 255
  fs.writeFileSync(last, bytes)
}
