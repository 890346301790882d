import { isDeepStrictEqual } from 'node:util'
import type { Contract, ContractClause, Expectation, ProofOf } from './contract.ts'
import { matchesGlob } from './glob.ts'

/** One difference between two versions of a contract, in words: `C2 is removed`. */
export interface Change {
  what: string
  /** It may ask for less than before. Whatever is not plainly as strict counts: only a human may let it through. */
  isWeaker: boolean
}

/**
 * What an amendment changes. As strict as before is: a clause more, an expectation more, a scope that names less, a pin more, less
 * time, a guard that becomes a check, a judged clause that becomes a check, other words for a title. All else is a dilution. Pure.
 */
export function changesIn(before: Contract, after: Contract): Change[] {
  return [
    ...before.clauses.flatMap(clause =>
      clauseChanges(
        clause,
        after.clauses.find(({ id }) => id === clause.id),
      ),
    ),
    ...after.clauses
      .filter(({ id }) => before.clauses.every(known => known.id !== id))
      .map(({ id, sentence }) => stricter(`${id} is new: ${sentence}`)),
    ...scopeChanges(before, after),
    ...coverChanges(before, after),
    ...leftOutChanges(before, after),
    ...(before.title === after.title ? [] : [stricter(`the title is now "${after.title}"`)]),
  ]
}

// --- internal ---

const weaker = (what: string): Change => ({ what, isWeaker: true })
const stricter = (what: string): Change => ({ what, isWeaker: false })

function clauseChanges(before: ContractClause, after: ContractClause | undefined): Change[] {
  const { id } = before
  if (after === undefined) return [weaker(`${id} is removed: ${before.sentence}`)]
  const reworded =
    before.sentence === after.sentence
      ? []
      : [weaker(`${id} says something else: ${before.sentence} -> ${after.sentence}`)]
  const lost = before.covers.filter(sentence => !after.covers.includes(sentence))
  return [
    ...reworded,
    ...proofChanges(id, before.proof, after.proof),
    ...[...new Set(lost)].map(sentence => weaker(`${id} no longer covers ${sentence}`)),
  ]
}

function proofChanges(id: string, before: ProofOf, after: ProofOf): Change[] {
  if (before.is === 'check' && after.is === 'check') return checkChanges(id, before, after)
  if (before.is === after.is) return []
  const what = `${id} is proved by ${after.is === 'judged' ? "the judge's word" : `a ${after.is}`} instead of ${before.is === 'judged' ? "the judge's word" : `its ${before.is}`}`
  return [before.is === 'judged' && after.is === 'check' ? stricter(what) : weaker(what)]
}

type Check = Extract<ProofOf, { is: 'check' }>

function checkChanges(id: string, before: Check, after: Check): Change[] {
  const changes: Change[] = []
  if (before.command !== after.command)
    changes.push(weaker(`${id} runs another command: ${before.command} -> ${after.command}`))
  if (before.guard !== after.guard)
    changes.push(
      after.guard
        ? weaker(`${id} is a guard now, which need not be red before the work`)
        : stricter(`${id} is no guard any more: it must be red before the work`),
    )
  return [
    ...changes,
    ...limitChanges(id, before.limitSeconds, after.limitSeconds),
    ...pinChanges(id, before.pins ?? [], after.pins ?? []),
    ...expectationChanges(id, before.expect, after.expect),
  ]
}

/** More time is less to ask for; no limit of its own counts as the longest. */
function limitChanges(id: string, before = Infinity, after = Infinity): Change[] {
  if (before === after) return []
  if (after < before) return [stricter(`${id} may take ${after} s at most`)]
  return [weaker(`${id} may take ${after === Infinity ? 'as long as any check' : `${after} s`}, no longer ${before} s`)]
}

function pinChanges(id: string, before: string[], after: string[]): Change[] {
  const lost = before.filter(pin => !isWithin(pin, after))
  const won = after.filter(pin => !before.includes(pin))
  return [
    ...lost.map(pin => weaker(`${id} no longer pins ${pin}`)),
    ...won.map(pin => stricter(`${id} pins ${pin} now`)),
  ]
}

function expectationChanges(id: string, before: Expectation, after: Expectation): Change[] {
  if (isDeepStrictEqual(before, after)) return []
  const lost = [
    ...(before.exit === after.exit ? [] : [`exit ${before.exit}`]),
    ...before.contains
      .filter(text => !after.contains.includes(text))
      .map(text => `output contains ${JSON.stringify(text)}`),
    ...before.matches.filter(text => !after.matches.includes(text)).map(text => `output matches /${text}/`),
    ...(before.equals === undefined || before.equals === after.equals ? [] : ['output equals what it did']),
  ]
  if (lost.length === 0) return [stricter(`${id} expects more`)]
  return lost.map(expectation => weaker(`${id} no longer expects: ${expectation}`))
}

/** The scopes of a contract add up, so they are compared as one. */
function scopeChanges(before: Contract, after: Contract): Change[] {
  const [was, is] = [scopeOf(before), scopeOf(after)]
  if (was.length === 0) return []
  if (is.length === 0) return [weaker('nothing limits any more what may be touched')]
  const wider = is.filter(glob => !isWithin(glob, was)).map(glob => weaker(`the scope is wider by ${glob}`))
  const narrower = was.filter(glob => !is.includes(glob)).map(glob => stricter(`the scope no longer holds ${glob}`))
  return [...wider, ...narrower]
}

function scopeOf({ clauses }: Contract): string[] {
  return clauses.flatMap(({ proof }) => (proof.is === 'scope' ? proof.globs : []))
}

/** Only what can be seen at once: the same pattern, or a path (or all that is below it) that a pattern matches. */
function isWithin(glob: string, all: string[]): boolean {
  const place = glob.replace(/\/(\*\*)?$/, '')
  return all.some(one => one === glob || (!/[*?[]/.test(place) && matchesGlob(one, place)))
}

/** A sentence of the task that a clause answered for, and that none does now. */
function coverChanges(before: Contract, after: Contract): Change[] {
  const [was, is] = [before, after].map(({ clauses }) => new Set(clauses.flatMap(({ covers }) => covers)))
  const lost = [...(was ?? [])].filter(sentence => !is?.has(sentence))
  const won = [...(is ?? [])].filter(sentence => !was?.has(sentence))
  return [
    ...lost.map(sentence => weaker(`${sentence} of the task is no longer covered`)),
    ...won.map(sentence => stricter(`${sentence} of the task is covered now`)),
  ]
}

/** A sentence that was to be answered for, or that nobody had spoken of, and that is said to be left out now. */
function leftOutChanges(before: Contract, after: Contract): Change[] {
  return after.leftOut
    .filter(({ sentence }) => before.leftOut.every(left => left.sentence !== sentence))
    .map(({ sentence, why }) => weaker(`${sentence} of the task is left out now: ${why}`))
}
