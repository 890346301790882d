import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import { toOneLine } from '#host/text.ts'
import { isSessionId } from '#session'
import { type AuditPart, type AuditProblem, type AuditReport, auditParts, auditSession } from '#session/audit'
import { formatLogAnchor } from '#session/log'
import { defineCommand } from '../command.ts'
import { type DoctorResult, fail, formatResults, ok, warn } from '../doctor/result.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { pickSession } from '../input/pick-session.ts'
import { formatTitle, paint, print } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
Holds the parts of a session's record against each other: the chain of its log, how it was opened, the seal, the evidence,
what the judge was given, the verdict, the files in outputs/ and git's index there. It names all damage that it finds, and
changes, deletes and runs nothing. A folder may be a copy, on any machine, of a session that is nobody's here. With the
"proof" that came with a verdict's push, --head also finds a record that was forged as a whole. Exit code 0 when it is
sound, 13 when it is damaged. Without an id: the newest session.
`,
  usage: 'audit [<sid> | <folder>] [--head HASH] [--json]',
  options: {
    head: {
      type: 'string',
      value: 'HASH',
      about: 'the head of the log as you know it: the proof on your phone, or all of it',
    },
    json: { type: 'boolean', about: 'one JSON object on standard output instead of words' },
  },
  async run(values, words) {
    if (words.length > 1) throw new DispatchError('one session at a time', { exitCode: exitCodes.usage })
    const head = values.head === undefined ? undefined : parseHead(values.head)
    const found = await auditSession(resolveFolder(words[0]), head)
    if (values.json) print(JSON.stringify(found))
    else printAudit(found)
    return found.isSound ? exitCodes.ok : exitCodes.integrity
  },
})

function parseHead(text: string): string {
  const [, head] = /^(?:proof )?([0-9a-f]{16,64})…?$/.exec(text.trim().toLowerCase()) ?? []
  if (head !== undefined) return head
  throw new DispatchError(`--head ${JSON.stringify(text.slice(0, 100))} is no head of a log`, {
    exitCode: exitCodes.usage,
    remedy: 'It has 16 to 64 digits from 0 to 9 and a to f, as the push says it behind "proof".',
  })
}

/** A folder that is named needs nothing of this machine; else it is a session of ours, however damaged. */
function resolveFolder(named: string | undefined): string {
  if (named !== undefined && (named.includes('/') || named === '.' || isSessionFolder(named))) {
    if (isSessionFolder(named)) return path.resolve(named)
    throw new DispatchError(
      `${path.resolve(named)} is no session's folder: neither session.json nor events.jsonl is there`,
      {
        exitCode: exitCodes.notFound,
        remedy: 'Name the folder that holds them.',
      },
    )
  }
  const config = readConfigOrDefaults()
  const whole = path.join(config.workspace, named ?? '')
  return named !== undefined && isSessionId(named) && isSessionFolder(whole)
    ? whole
    : pickSession(config, named).paths.folder
}

function isSessionFolder(folder: string): boolean {
  try {
    const names = ['session.json', 'events.jsonl']
    return names.some(name => fs.lstatSync(path.join(folder, name), { throwIfNoEntry: false }) !== undefined)
  } catch (error) {
    throw toStorageError(folder, error)
  }
}

// --- in words ---

function printAudit(found: AuditReport): void {
  const { id, folder, eventCount, head, verdictHead, isSound, hasEnded, phase, problems } = found
  print(`${formatTitle(id)}  ${paint('dim', folder)}`)
  const results = auditParts.flatMap(part =>
    toDoctorResults(
      part,
      problems.filter(remark => remark.part === part),
    ),
  )
  print(formatResults(results, { width: process.stdout.columns ?? 80, mac: process.platform === 'darwin' }))
  const damages = problems.filter(({ isDamage }) => isDamage).length
  print()
  print(
    isSound
      ? paint('green', 'sound')
      : paint('red', `DAMAGED in ${damages} ${damages === 1 ? 'point' : 'points'}; nothing was changed`),
  )
  if (!hasEnded) print(`it has not ended (${phase}): audited as far as it has come`)
  if (verdictHead !== null)
    print(`proof ${formatLogAnchor(verdictHead)}  at its verdict, as it was pushed: compare it with your phone`)
  print(paint('dim', `head  ${head ?? 'none'}  after ${eventCount} events`))
}

const passedTexts: Record<AuditPart, string> = {
  chain: 'every line of the log follows the one before it',
  opening: 'task and settings are those it was opened with',
  seal: 'the contract is what was sealed',
  evidence: 'every record is what the log says of it',
  packet: 'what the judge was given is there, as it was given',
  verdict: 'it is the one that was given, and the gates on record allow it',
  tree: 'outputs/ is what was judged, and the repository is whole',
  index: 'HEAD and index in outputs/ are at what was judged',
}

/** A part that is in order in one line, with its notes below; else every damage with what it means. */
function toDoctorResults(part: AuditPart, remarks: AuditProblem[]): DoctorResult[] {
  const text = ({ file, message }: AuditProblem) => toOneLine(`${file}: ${message}`, 400)
  const notes = remarks.filter(({ isDamage }) => !isDamage).map(remark => warn(part, text(remark)))
  const damages = remarks.filter(({ isDamage }) => isDamage).map(remark => fail(part, text(remark), remark.consequence))
  return [...(damages.length > 0 ? damages : [ok(part, passedTexts[part])]), ...notes]
}
