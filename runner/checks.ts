import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import vm from 'node:vm'
import { checkEnvironment, DispatchError, exits, printable, type Ran, run, writeAtomic } from '../host/index.ts'
import type { Commit, ContractClause, EvidenceRecord, Expectation, Outcome, Paths, ProofOf } from '../session/index.ts'
import { evidenceText, exportTree } from '../session/index.ts'
import { runInside } from './inside.ts'
import type { Readiness } from './setup.ts'
import { machine, toolsIn } from './tools.ts'

type Check = Extract<ProofOf, { is: 'check' }>

/** On which tree a check runs, and when. */
export interface Occasion {
  /** The record's name. */
  id: string
  side: 'base' | 'head'
  round: number
  at: Commit
  /** Seconds that one run may take. */
  limitSeconds: number
  /** A run that took fewer seconds is run once more, so that a flaky check shows. */
  repeatSeconds: number
  /** The project's dependencies for this tree. */
  ready: Readiness
  /** What holds the command; null: nothing. */
  sandbox: string | null
}

/**
 * Run one check on a clean export of the tree, in an environment built from empty, and keep what was seen: the record
 * in `evidence/<id>.json`, the output in `evidence/<id>.txt`. A quick one is run twice, each time on an export of its own.
 */
export async function runCheck(
  paths: Paths,
  clause: ContractClause,
  check: Check,
  occasion: Occasion,
): Promise<EvidenceRecord> {
  const { id, side, round, at, limitSeconds, ready } = occasion
  const first = await runOnce(paths, check, occasion)
  const isQuick = ready.ok && first.ran.milliseconds < occasion.repeatSeconds * 1000
  const runs = isQuick && first.outcome !== 'could not run' ? [first, await runOnce(paths, check, occasion)] : [first]
  const shown = runs.findLast(({ outcome }) => outcome !== 'green') ?? first
  const { ran, output, outputSha256 } = shown
  const record: EvidenceRecord = {
    format: 1,
    id,
    clause: clause.id,
    side,
    round,
    command: check.command,
    expected: describe(check.expect),
    exit: ran.code ?? null,
    ...inAll(runs),
    milliseconds: ran.milliseconds,
    tail: printable(output.slice(-4096)),
    outputBytes: Buffer.byteLength(output),
    outputSha256,
    commit: at.commit,
    tree: at.tree,
    at: new Date().toISOString(),
    limitSeconds,
    runs: runs.map(each => ({
      exit: each.ran.code ?? null,
      outcome: each.outcome,
      milliseconds: each.ran.milliseconds,
      outputSha256: each.outputSha256,
    })),
    tools: await toolsIn(check.command),
    machine,
    setup: ready.ok ? ready.key : null,
    sandbox: occasion.sandbox ?? 'none',
  }
  keepRecord(paths, record, output)
  return record
}

/** The output first, so that no record names one that is not there. */
export function keepRecord(paths: Paths, record: EvidenceRecord, output: string): void {
  writeAtomic(path.join(paths.evidence, `${record.id}.txt`), output)
  writeAtomic(path.join(paths.evidence, `${record.id}.json`), evidenceText(record))
}

/** One run and what it came to. */
interface Once {
  outcome: Outcome
  why: string
  ran: Ran
  output: string
  outputSha256: string
}

async function runOnce(paths: Paths, check: Check, { at, limitSeconds, ready, sandbox }: Occasion): Promise<Once> {
  const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-check-')))
  try {
    const tree = path.join(scratch, 'tree')
    const home = path.join(scratch, 'home')
    for (const folder of [tree, home]) fs.mkdirSync(folder)
    await exportTree(paths, at.commit, tree)
    const hindrance = ready.ok ? await hindranceTo(ready, tree) : ready.why
    const shell = ['/bin/sh', '-c', check.command]
    const ran =
      ready.ok && hindrance === undefined
        ? await (sandbox === null ? runOpen : runEnclosed)(shell, { tree, home, ready, limitSeconds })
        : notRun
    const found =
      hindrance === undefined
        ? weigh(ran, check.expect, name => fs.existsSync(path.join(tree, name)))
        : { outcome: 'could not run' as const, why: hindrance }
    const output = `${ran.stdout}${ran.stderr === '' ? '' : `\n[stderr]\n${ran.stderr}`}`
    return { ...found, ran, output, outputSha256: createHash('sha256').update(output).digest('hex') }
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
}

/** Why the dependencies cannot be put into this tree; undefined when they are in it. */
async function hindranceTo(ready: Extract<Readiness, { ok: true }>, tree: string): Promise<string | undefined> {
  try {
    await ready.place(tree)
    return undefined
  } catch (error) {
    if (error instanceof DispatchError && error.exit === exits.integrity) return error.message
    throw error
  }
}

/** Where a check runs: on an export of the tree, with a home of its own. */
interface Place {
  tree: string
  home: string
  ready: Extract<Readiness, { ok: true }>
  limitSeconds: number
}

function environmentOf({ tree, home, ready }: Place): Record<string, string> {
  return withPrograms({ ...checkEnvironment(home), ...ready.variables(tree) }, ready.programs(tree))
}

function runOpen([program = '', ...words]: string[], place: Place): Promise<Ran> {
  const env = environmentOf(place)
  return run(program, words, { cwd: place.tree, env, deadline: place.limitSeconds * 1000, keep: outputCap })
}

/** Inside: no network, and nothing to write but the export and its home. */
function runEnclosed(command: string[], place: Place): Promise<Ran> {
  const { tree, home, ready, limitSeconds: limit } = place
  const read = Object.values(ready.variables(tree))
  const environment = environmentOf(place)
  return runInside({ role: 'check', command, folder: tree, home, environment, read, hosts: [], limit, keep: outputCap })
}

/** Runs of one check on one tree agree, or it is flaky and proves nothing; one that could not run says nothing at all. Pure. */
export function inAll(runs: Pick<Once, 'outcome' | 'why'>[]): { outcome: Outcome; why: string } {
  const stopped = runs.find(({ outcome }) => outcome === 'could not run')
  if (stopped) return { outcome: stopped.outcome, why: stopped.why }
  const [first, ...others] = runs
  if (first === undefined) throw new Error('a check that never ran has no outcome')
  const different = others.find(({ outcome }) => outcome !== first.outcome)
  if (different === undefined) return { outcome: first.outcome, why: first.why }
  const red = [first, different].find(({ outcome }) => outcome === 'red')
  return { outcome: 'flaky', why: `${first.outcome}, then ${different.outcome}, on the same tree: ${red?.why}` }
}

/**
 * Green, red, or could not run. A missing tool, a command that cannot be executed, a deadline and a crash by signal say
 * nothing about the work; a missing file of the work itself (`./fib.sh: not found`) is plainly red. Pure.
 */
export function weigh(
  ran: Ran,
  expect: Expectation,
  standsInTree: (name: string) => boolean,
): { outcome: Outcome; why: string } {
  if (ran.timedOut) return { outcome: 'could not run', why: `not done after ${Math.round(ran.milliseconds / 1000)} s` }
  if (ran.unstartable) return { outcome: 'could not run', why: `it did not start: ${ran.unstartable}` }
  if (ran.code === undefined) return { outcome: 'could not run', why: `ended by ${ran.signal ?? 'a signal'}` }
  if ((ran.code === 126 || ran.code === 127) && expect.exit !== ran.code) return weighMissing(ran, standsInTree)
  let wrong: string | undefined
  try {
    wrong = shortfall(ran, expect)
  } catch (error) {
    if (error instanceof Endless)
      return { outcome: 'could not run', why: 'a pattern was not done with the output in 2 s' }
    throw error
  }
  return wrong === undefined ? { outcome: 'green', why: '' } : { outcome: 'red', why: wrong }
}

/** `exit 0, output contains "34"`. */
export function describe(expect: Expectation): string {
  return [
    `exit ${expect.exit}`,
    ...expect.contains.map(text => `output contains ${JSON.stringify(text)}`),
    ...expect.matches.map(text => `output matches /${text}/`),
    ...(expect.equals === undefined ? [] : [`output equals ${JSON.stringify(expect.equals)}`]),
  ].join(', ')
}

const outputCap = 1024 * 1024

const notRun: Ran = {
  code: undefined,
  signal: undefined,
  timedOut: false,
  unstartable: undefined,
  stdout: '',
  stderr: '',
  milliseconds: 0,
}

function withPrograms(environment: Record<string, string>, folders: string[]): Record<string, string> {
  return { ...environment, PATH: [...folders, environment['PATH']].join(path.delimiter) }
}

/** What the run does not show, though it should; undefined when it shows everything. */
function shortfall(ran: Ran, expect: Expectation): string | undefined {
  if (ran.code !== expect.exit) return `exit ${ran.code}, not ${expect.exit}`
  const output = ran.stdout.replace(/\r\n/g, '\n')
  const absent = expect.contains.find(text => !output.includes(text))
  if (absent !== undefined) return `the output does not contain ${JSON.stringify(absent)}`
  const unmatched = expect.matches.find(text => !matches(text, output))
  if (unmatched !== undefined) return `the output does not match /${unmatched}/`
  if (expect.equals !== undefined && output.trimEnd() !== expect.equals.trimEnd())
    return `the output is not ${JSON.stringify(expect.equals.slice(0, 80))}`
  return undefined
}

/** A pattern of the contract's author, given two seconds: some would search for years. */
function matches(pattern: string, output: string): boolean {
  try {
    return vm.runInNewContext("new RegExp(pattern, 'm').test(output)", { pattern, output }, { timeout: 2000 }) === true
  } catch {
    throw new Endless() // The pattern was read before, so it can only be the time; vm's own error is no Error of this realm.
  }
}

/** A pattern that is not done in its time. */
class Endless extends Error {}

/** Exit 126 or 127: whose absence is it? A path is the work's, a bare name is a tool of this machine's. */
function weighMissing(ran: Ran, standsInTree: (name: string) => boolean): { outcome: Outcome; why: string } {
  const [, name = ''] =
    /(?:^|: )([^\s:]+): (?:not found|command not found|No such file or directory|[Pp]ermission denied|[Ii]s a directory)/m.exec(
      ran.stderr,
    ) ?? []
  if (name.includes('/') && !name.startsWith('/'))
    return { outcome: 'red', why: standsInTree(name) ? `${name} cannot be executed` : `${name} is not there` }
  return {
    outcome: 'could not run',
    why: name === '' ? `exit ${ran.code}: a command is missing` : `${name} is not on this machine`,
  }
}
