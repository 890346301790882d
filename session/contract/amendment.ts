import { isDeepStrictEqual } from 'node:util'
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

/**
 * List what an amendment changes. As strict as before are: a new clause, expectation or pin, a smaller scope, a shorter
 * limit, a guard or a judged clause that becomes a check, and a new title. Everything else is a dilution. Pure.
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
      .filter(({ id }) => before.clauses.every(clause => clause.id !== id))
      .map(({ id, sentence }) => strengthening(`${id} is new: ${sentence}`)),
    ...scopeChanges(before, after),
    ...coverChanges(before, after),
    ...after.exclusions
      .filter(({ sentenceId }) => before.exclusions.every(exclusion => exclusion.sentenceId !== sentenceId))
      .map(({ sentenceId, reason }) => weakening(`${sentenceId} of the task is now left out: ${reason}`)),
    ...(before.title === after.title ? [] : [strengthening(`the title is now "${after.title}"`)]),
  ]
}

// --- internal ---

const weakening = (description: string): ContractChange => ({ description, isWeaker: true })
const strengthening = (description: string): ContractChange => ({ description, isWeaker: false })
const without = (texts: string[], others: string[]) => texts.filter(text => !others.includes(text))

function clauseChanges(before: ContractClause, after: ContractClause | undefined): ContractChange[] {
  const { id } = before
  if (after === undefined) return [weakening(`${id} is removed: ${before.sentence}`)]
  const reworded =
    before.sentence === after.sentence ? [] : [weakening(`${id} is reworded: ${before.sentence} -> ${after.sentence}`)]
  const lost = new Set(without(before.covers, after.covers))
  return [
    ...reworded,
    ...proofChanges(id, before.proof, after.proof),
    ...[...lost].map(sentence => weakening(`${id} no longer covers ${sentence}`)),
  ]
}

function proofChanges(id: string, before: ClauseProof, after: ClauseProof): ContractChange[] {
  if (before.kind === 'check' && after.kind === 'check') return checkChanges(id, before, after)
  if (before.kind === after.kind) return []
  const newProof = after.kind === 'judged' ? 'the judge' : `a ${after.kind}`
  const oldProof = before.kind === 'judged' ? 'the judge' : `its ${before.kind}`
  const description = `${id} is proved by ${newProof} instead of ${oldProof}`
  const isStricter = before.kind === 'judged' && after.kind === 'check'
  return [isStricter ? strengthening(description) : weakening(description)]
}

type Check = Extract<ClauseProof, { kind: 'check' }>

function checkChanges(id: string, before: Check, after: Check): ContractChange[] {
  const changes: ContractChange[] = []
  if (before.command !== after.command)
    changes.push(weakening(`${id} runs another command: ${before.command} -> ${after.command}`))
  if (before.isGuard !== after.isGuard)
    changes.push(
      after.isGuard
        ? weakening(`${id} is now a guard, which does not have to fail before the work`)
        : strengthening(`${id} is not a guard any more: it must fail before the work`),
    )
  return [
    ...changes,
    ...limitChanges(id, before.timeoutSeconds, after.timeoutSeconds),
    ...pinChanges(id, before.pins ?? [], after.pins ?? []),
    ...expectationChanges(id, before.expectation, after.expectation),
  ]
}

/** A longer limit asks for less. A check without a limit counts as the longest. */
function limitChanges(id: string, before = Infinity, after = Infinity): ContractChange[] {
  if (before === after) return []
  if (after < before) return [strengthening(`${id} may take at most ${after} s`)]
  return [
    weakening(
      after === Infinity
        ? `${id} may take as long as any check, instead of ${before} s`
        : `${id} may take ${after} s instead of ${before} s`,
    ),
  ]
}

function pinChanges(id: string, before: string[], after: string[]): ContractChange[] {
  return [
    ...before.filter(pin => !isWithin(pin, after)).map(pin => weakening(`${id} no longer pins ${pin}`)),
    ...without(after, before).map(pin => strengthening(`${id} now pins ${pin}`)),
  ]
}

function expectationChanges(id: string, before: Expectation, after: Expectation): ContractChange[] {
  if (isDeepStrictEqual(before, after)) return []
  const lost = without(listExpectations(before), listExpectations(after))
  if (lost.length === 0) return [strengthening(`${id} expects more`)]
  return lost.map(expectation =>
    weakening(`${id} no longer expects: ${expectation.startsWith('output equals') ? 'the exact output' : expectation}`),
  )
}

/** The scopes of a contract add up, so all of them are compared as one. */
function scopeChanges(before: Contract, after: Contract): ContractChange[] {
  const [oldGlobs, newGlobs] = [listScopeGlobs(before), listScopeGlobs(after)]
  if (oldGlobs.length === 0) return []
  if (newGlobs.length === 0) return [weakening('no scope limits the changed files any more')]
  return [
    ...newGlobs.filter(glob => !isWithin(glob, oldGlobs)).map(glob => weakening(`the scope now includes ${glob}`)),
    ...without(oldGlobs, newGlobs).map(glob => strengthening(`the scope no longer includes ${glob}`)),
  ]
}

/** Is the glob certainly within the others? Only the same glob, or a path (`path`, `path/**`) that one matches. */
function isWithin(glob: string, others: string[]): boolean {
  const path = glob.replace(/\/(\*\*)?$/, '')
  return others.some(other => other === glob || (!/[*?[]/.test(path) && matchesGlob(other, path)))
}

/** Sentences that no clause covers any more, or that one covers now. */
function coverChanges(before: Contract, after: Contract): ContractChange[] {
  const [oldSentences, newSentences] = [listCovered(before), listCovered(after)]
  return [
    ...without(oldSentences, newSentences).map(sentence => weakening(`${sentence} of the task is no longer covered`)),
    ...without(newSentences, oldSentences).map(sentence => strengthening(`${sentence} of the task is now covered`)),
  ]
}

function listCovered({ clauses }: Contract): string[] {
  return [...new Set(clauses.flatMap(({ covers }) => covers))]
}
