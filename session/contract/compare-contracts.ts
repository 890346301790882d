import { isDeepStrictEqual } from 'node:util'
import { hasWildcard, unescapePattern } from '#host/path-pattern.ts'
import { decideBrackets } from './brackets.ts'
import {
  type ClauseProof,
  type Contract,
  type ContractClause,
  type Expectation,
  listExpectations,
  listScopeGlobs,
} from './clause.ts'
import { matchesGlob } from './glob.ts'

/** One difference between two versions of a contract, such as `C2 is removed`. */
export interface ContractChange {
  description: string
  /** It may ask for less than before, so only a human can approve it. Anything that is not clearly as strict counts. */
  isWeaker: boolean
}

/** What a comparison depends on besides the contracts. */
interface ComparisonOptions {
  baseFiles: string[]
  defaultLimitSeconds: number
}

/**
 * List what an amendment changes. As strict as before are: a new clause, expectation or pin, a smaller scope, a shorter
 * limit, a guard or a judged clause that becomes a check that must be red before the work, and a new title. Everything else is a
 * dilution. The files of the base say what a bracket in a path means; a check without a limit has the default one. Pure.
 */
export function compareContracts(
  before: Contract,
  after: Contract,
  { baseFiles, defaultLimitSeconds }: ComparisonOptions,
): ContractChange[] {
  return [
    ...before.clauses.flatMap(clause =>
      compareClauses(
        clause,
        after.clauses.find(({ id }) => id === clause.id),
        { baseFiles, defaultLimitSeconds },
      ),
    ),
    ...after.clauses
      .filter(({ id }) => before.clauses.every(clause => clause.id !== id))
      .map(({ id, sentence }) => createStrengthening(`${id} is new: ${sentence}`)),
    ...compareScopes(before, after, baseFiles),
    ...compareCovers(before, after),
    ...after.exclusions
      .filter(({ sentenceId }) => before.exclusions.every(exclusion => exclusion.sentenceId !== sentenceId))
      .map(({ sentenceId, reason }) => createWeakening(`${sentenceId} of the task is now left out: ${reason}`)),
    ...(before.title === after.title ? [] : [createStrengthening(`the title is now "${after.title}"`)]),
  ]
}

// --- internal ---

const createWeakening = (description: string): ContractChange => ({ description, isWeaker: true })
const createStrengthening = (description: string): ContractChange => ({ description, isWeaker: false })
const subtract = (texts: string[], others: string[]) => texts.filter(text => !others.includes(text))

function compareClauses(
  before: ContractClause,
  after: ContractClause | undefined,
  options: ComparisonOptions,
): ContractChange[] {
  const { id } = before
  if (after === undefined) return [createWeakening(`${id} is removed: ${before.sentence}`)]
  const reworded =
    before.sentence === after.sentence
      ? []
      : [createWeakening(`${id} is reworded: ${before.sentence} -> ${after.sentence}`)]
  const lost = new Set(subtract(before.covers, after.covers))
  return [
    ...reworded,
    ...compareProofs(id, before.proof, after.proof, options),
    ...[...lost].map(sentence => createWeakening(`${id} no longer covers ${sentence}`)),
  ]
}

function compareProofs(
  id: string,
  before: ClauseProof,
  after: ClauseProof,
  options: ComparisonOptions,
): ContractChange[] {
  if (before.kind === 'check' && after.kind === 'check') return compareChecks(id, before, after, options)
  if (before.kind === after.kind) return []
  const newProof = after.kind === 'judged' ? 'the judge' : isGuard(after) ? 'a guard' : `a ${after.kind}`
  const oldProof = before.kind === 'judged' ? 'the judge' : `its ${before.kind}`
  const description = `${id} is proved by ${newProof} instead of ${oldProof}`
  // A guard is green before the work already, so it may say little of what the judge was to look at.
  const isStricter = before.kind === 'judged' && after.kind === 'check' && !isGuard(after)
  return [isStricter ? createStrengthening(description) : createWeakening(description)]
}

function isGuard(proof: ClauseProof): boolean {
  return proof.kind === 'check' && proof.isGuard
}

type Check = Extract<ClauseProof, { kind: 'check' }>

function compareChecks(
  id: string,
  before: Check,
  after: Check,
  { baseFiles, defaultLimitSeconds }: ComparisonOptions,
): ContractChange[] {
  const changes: ContractChange[] = []
  if (before.command !== after.command)
    changes.push(createWeakening(`${id} runs another command: ${before.command} -> ${after.command}`))
  if (before.isGuard !== after.isGuard)
    changes.push(
      after.isGuard
        ? createWeakening(`${id} is now a guard, which does not have to fail before the work`)
        : createStrengthening(`${id} is not a guard any more: it must fail before the work`),
    )
  return [
    ...changes,
    ...compareLimits(id, before.timeoutSeconds, after.timeoutSeconds, defaultLimitSeconds),
    ...comparePins(id, before.pins ?? [], after.pins ?? [], baseFiles),
    ...compareExpectations(id, before.expectation, after.expectation),
  ]
}

/** A longer limit asks for less. A check without one has the default of the settings. */
function compareLimits(
  id: string,
  before: number | undefined,
  after: number | undefined,
  defaultSeconds: number,
): ContractChange[] {
  if (before === after) return []
  const [from = defaultSeconds, to = defaultSeconds] = [before, after]
  const limit = after === undefined ? `as long as any check (${to} s)` : `${to} s`
  if (to <= from) return [createStrengthening(`${id} may take at most ${to} s`)]
  return [createWeakening(`${id} may take ${limit} instead of ${from} s`)]
}

function comparePins(id: string, before: string[], after: string[], baseFiles: string[]): ContractChange[] {
  return [
    ...before
      .filter(pin => !isWithin(pin, after, baseFiles))
      .map(pin => createWeakening(`${id} no longer pins ${pin}`)),
    ...subtract(after, before).map(pin => createStrengthening(`${id} now pins ${pin}`)),
  ]
}

function compareExpectations(id: string, before: Expectation, after: Expectation): ContractChange[] {
  const { allowsSkips: couldSkip = false, ...oldResult } = before
  const { allowsSkips: maySkip = false, ...newResult } = after
  const changes: ContractChange[] = []
  if (maySkip !== couldSkip)
    changes.push(
      maySkip
        ? createWeakening(`${id} may now skip all of its tests`)
        : createStrengthening(`${id} may not skip all of its tests`),
    )
  if (isDeepStrictEqual(oldResult, newResult)) return changes
  const lost = subtract(listExpectations(oldResult), listExpectations(newResult))
  if (lost.length === 0) return [...changes, createStrengthening(`${id} expects more`)]
  return [
    ...changes,
    ...lost.map(expectation => {
      const what = expectation.startsWith('output equals') ? 'the exact output' : expectation
      return createWeakening(`${id} no longer expects: ${what}`)
    }),
  ]
}

/** The scopes of a contract add up, so all of them are compared as one. */
function compareScopes(before: Contract, after: Contract, baseFiles: string[]): ContractChange[] {
  const [oldGlobs, newGlobs] = [listScopeGlobs(before), listScopeGlobs(after)]
  if (oldGlobs.length === 0) return []
  if (newGlobs.length === 0) return [createWeakening('no scope limits the changed files any more')]
  return [
    ...newGlobs
      .filter(glob => !isWithin(glob, oldGlobs, baseFiles))
      .map(glob => createWeakening(`the scope now includes ${glob}`)),
    ...subtract(oldGlobs, newGlobs).map(glob => createStrengthening(`the scope no longer includes ${glob}`)),
  ]
}

/** Is the glob certainly within the others? Only the same glob, or a path (`path`, `path/**`) that one matches. */
function isWithin(glob: string, others: string[], baseFiles: string[]): boolean {
  const allowed = decideBrackets(others, baseFiles)
  return decideBrackets([glob], baseFiles).every(meaning => {
    const path = meaning.replace(/\/(\*\*)?$/, '')
    const isWithinOne = (other: string) => !hasWildcard(path) && matchesGlob(other, unescapePattern(path))
    return allowed.some(other => other === meaning || isWithinOne(other))
  })
}

/** Sentences that no clause covers any more, or that one covers now. */
function compareCovers(before: Contract, after: Contract): ContractChange[] {
  const [oldSentences, newSentences] = [listCovered(before), listCovered(after)]
  return [
    ...subtract(oldSentences, newSentences).map(sentence =>
      createWeakening(`${sentence} of the task is no longer covered`),
    ),
    ...subtract(newSentences, oldSentences).map(sentence =>
      createStrengthening(`${sentence} of the task is now covered`),
    ),
  ]
}

function listCovered({ clauses }: Contract): string[] {
  return [...new Set(clauses.flatMap(({ covers }) => covers))]
}
