import { readIfPresent } from '#host/fs'
import { listKnownSecrets } from '#host/secrets'
import type { Contract } from '#session/contract'
import { readEvidence } from '#session/evidence'
import { type Commit, listChangedPaths, listCommitFiles } from '#session/repository'
import type { Gate, PacketInput } from '#validator'
import type { RunnerContext } from '../context.ts'
import { readIgnoredFileSecrets } from '../dependencies/ignored-files.ts'

/** Everything that a packet is built from, except the sources for the leak scan. */
export type PacketParts = Omit<PacketInput, 'sources'>

/** Collect what the judge gets: contract, gates with all their evidence, the workers' reports, and the list of files. */
export async function collectPacketInput(
  context: RunnerContext,
  { contract, gates, round, head }: { contract: Contract; gates: Gate[]; round: number; head: Commit },
): Promise<PacketParts> {
  const { session, status, config } = context
  const { paths } = session
  const baseEvidence = readEvidence(paths).filter(record => record.side === 'base')
  return {
    contract,
    gates: gates.map(gate => ({
      ...gate,
      evidence: [...baseEvidence.filter(record => record.clauseId === gate.clause.id), ...gate.evidence],
    })),
    reports: status.workers.map(({ name, clauses, ending }) => ({
      worker: name,
      clauses,
      how: ending ?? 'unknown',
      report: readIfPresent(paths.worker(name).report) ?? '',
    })),
    listing: await listFiles(context, head),
    knownSecrets: [...listKnownSecrets(config), ...readIgnoredFileSecrets(paths)],
    round,
  }
}

/** The files of the work and those that it removed, each with how it changed. */
async function listFiles({ session, status }: RunnerContext, head: Commit): Promise<PacketInput['listing']> {
  const { paths } = session
  const changedPaths = await listChangedPaths(paths, status.base?.commit ?? head.commit, head.commit)
  const changes = new Map(changedPaths.map(({ path: file, change }) => [file, change]))
  const present = (await listCommitFiles(paths, head.commit)).map(file => ({
    ...file,
    change: changes.get(file.path) ?? ('kept' as const),
  }))
  const removed = changedPaths
    .filter(({ change }) => change === 'removed')
    .map(({ path: file }) => ({ path: file, sizeBytes: 0, change: 'removed' as const }))
  return [...present, ...removed]
}
