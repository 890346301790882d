import { isDeepStrictEqual } from 'node:util'
import type { ClauseProof, Contract, ContractClause, Expectation } from './clause.ts'
import { matchesGlob } from './glob.ts'

/** One difference between two versions of a contract, in words: `C2 is removed`. */
export interface ContractChange {
  description: string
  /** It may ask for less than before. Whatever is not plainly as strict counts: only a human may let it through. */
  isWeaker: boolean
}

/**
 * What an amendment changes. As strict as before is: a clause more, an expectation more, a scope that names less, a pin more, less
 * time, a guard that becomes a check, a judged clause that becomes a check, other words for a title. All else is a dilution. Pure.
 */
export function compareContracts(before: Contract, after: Contract): ContractChange[] {
  return [
    ...before.clauses.flatMap(clause =>
      clauseChanges(
        clause,
        after.clauses.find(({ id }) => id === clause.id),
      ),
    ),
    ...after.clauses
      .filter(({ id }) => before.clauses.every(known => known.id !== id))
      .map(({ id, sentence }) => strengthening(`${id} is new: ${sentence}`)),
    ...scopeChanges(before, after),
    ...coverChanges(before, after),
    ...leftOutChanges(before, after),
    ...(before.title === after.title ? [] : [strengthening(`the title is now "${after.title}"`)]),
  ]
}

// --- internal ---

const weakening = (description: string): ContractChange => ({ description, isWeaker: true })
const strengthening = (description: string): ContractChange => ({ description, isWeaker: false })

function clauseChanges(before: ContractClause, after: ContractClause | undefined): ContractChange[] {
  const { id } = before
  if (after === undefined) return [weakening(`${id} is removed: ${before.sentence}`)]
  const reworded =
    before.sentence === after.sentence
      ? []
      : [weakening(`${id} says something else: ${before.sentence} -> ${after.sentence}`)]
  const lost = before.covers.filter(sentence => !after.covers.includes(sentence))
  return [
    ...reworded,
    ...proofChanges(id, before.proof, after.proof),
    ...[...new Set(lost)].map(sentence => weakening(`${id} no longer covers ${sentence}`)),
  ]
}

function proofChanges(id: string, before: ClauseProof, after: ClauseProof): ContractChange[] {
  if (before.kind === 'check' && after.kind === 'check') return checkChanges(id, before, after)
  if (before.kind === after.kind) return []
  const what = `${id} is proved by ${after.kind === 'judged' ? "the judge's word" : `a ${after.kind}`} instead of ${before.kind === 'judged' ? "the judge's word" : `its ${before.kind}`}`
  return [before.kind === 'judged' && after.kind === 'check' ? strengthening(what) : weakening(what)]
}

type Check = Extract<ClauseProof, { kind: 'check' }>

function checkChanges(id: string, before: Check, after: Check): ContractChange[] {
  const changes: ContractChange[] = []
  if (before.command !== after.command)
    changes.push(weakening(`${id} runs another command: ${before.command} -> ${after.command}`))
  if (before.isGuard !== after.isGuard)
    changes.push(
      after.isGuard
        ? weakening(`${id} is a guard now, which need not be red before the work`)
        : strengthening(`${id} is no guard any more: it must be red before the work`),
    )
  return [
    ...changes,
    ...limitChanges(id, before.timeoutSeconds, after.timeoutSeconds),
    ...pinChanges(id, before.pins ?? [], after.pins ?? []),
    ...expectationChanges(id, before.expectation, after.expectation),
  ]
}

/** More time is less to ask for; no limit of its own counts as the longest. */
function limitChanges(id: string, before = Infinity, after = Infinity): ContractChange[] {
  if (before === after) return []
  if (after < before) return [strengthening(`${id} may take ${after} s at most`)]
  return [
    weakening(`${id} may take ${after === Infinity ? 'as long as any check' : `${after} s`}, no longer ${before} s`),
  ]
}

function pinChanges(id: string, before: string[], after: string[]): ContractChange[] {
  const lost = before.filter(pin => !isWithin(pin, after))
  const won = after.filter(pin => !before.includes(pin))
  return [
    ...lost.map(pin => weakening(`${id} no longer pins ${pin}`)),
    ...won.map(pin => strengthening(`${id} pins ${pin} now`)),
  ]
}

function expectationChanges(id: string, before: Expectation, after: Expectation): ContractChange[] {
  if (isDeepStrictEqual(before, after)) return []
  const lost = [
    ...(before.exitCode === after.exitCode ? [] : [`exit ${before.exitCode}`]),
    ...before.outputContains
      .filter(text => !after.outputContains.includes(text))
      .map(text => `output contains ${JSON.stringify(text)}`),
    ...before.outputMatches.filter(text => !after.outputMatches.includes(text)).map(text => `output matches /${text}/`),
    ...(before.outputEquals === undefined || before.outputEquals === after.outputEquals
      ? []
      : ['output equals what it did']),
  ]
  if (lost.length === 0) return [strengthening(`${id} expects more`)]
  return lost.map(expectation => weakening(`${id} no longer expects: ${expectation}`))
}

/** The scopes of a contract add up, so they are compared as one. */
function scopeChanges(before: Contract, after: Contract): ContractChange[] {
  const [was, is] = [scopeOf(before), scopeOf(after)]
  if (was.length === 0) return []
  if (is.length === 0) return [weakening('nothing limits any more what may be touched')]
  const wider = is.filter(glob => !isWithin(glob, was)).map(glob => weakening(`the scope is wider by ${glob}`))
  const narrower = was
    .filter(glob => !is.includes(glob))
    .map(glob => strengthening(`the scope no longer holds ${glob}`))
  return [...wider, ...narrower]
}

function scopeOf({ clauses }: Contract): string[] {
  return clauses.flatMap(({ proof }) => (proof.kind === 'scope' ? proof.globs : []))
}

/** Only what can be seen at once: the same pattern, or a path (or all that is below it) that a pattern matches. */
function isWithin(glob: string, all: string[]): boolean {
  const place = glob.replace(/\/(\*\*)?$/, '')
  return all.some(one => one === glob || (!/[*?[]/.test(place) && matchesGlob(one, place)))
}

/** A sentence of the task that a clause answered for, and that none does now. */
function coverChanges(before: Contract, after: Contract): ContractChange[] {
  const [was, is] = [before, after].map(({ clauses }) => new Set(clauses.flatMap(({ covers }) => covers)))
  const lost = [...(was ?? [])].filter(sentence => !is?.has(sentence))
  const won = [...(is ?? [])].filter(sentence => !was?.has(sentence))
  return [
    ...lost.map(sentence => weakening(`${sentence} of the task is no longer covered`)),
    ...won.map(sentence => strengthening(`${sentence} of the task is covered now`)),
  ]
}

/** A sentence that was to be answered for, or that nobody had spoken of, and that is said to be left out now. */
function leftOutChanges(before: Contract, after: Contract): ContractChange[] {
  return after.exclusions
    .filter(({ sentenceId }) => before.exclusions.every(left => left.sentenceId !== sentenceId))
    .map(({ sentenceId, reason }) => weakening(`${sentenceId} of the task is left out now: ${reason}`))
}
