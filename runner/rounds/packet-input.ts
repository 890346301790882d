import { readIfPresent } from '#host/fs'
import type { Contract } from '#session/contract'
import { type Commit, listChangedPaths, listCommitFiles } from '#session/repository'
import { listSessionSecrets } from '#session/secrets'
import type { Gate, PacketInput } from '#validator'
import type { RunnerContext } from '../context.ts'

/** Everything that a packet is built from, except the sources for the leak scan. */
export type PacketParts = Omit<PacketInput, 'sources'>

/** Collect what the judge gets: contract, gates with all their evidence, the workers' reports, and the list of files. */
export async function collectPacketInput(
  { session: { paths }, status, config }: RunnerContext,
  contract: Contract,
  gates: Gate[],
  round: number,
  head: Commit,
): Promise<PacketParts> {
  const changed = await listChangedPaths(paths, status.base?.commit ?? head.commit, head.commit)
  const changes = new Map(changed.map(({ path: file, change }) => [file, change]))
  const files = (await listCommitFiles(paths, head.commit)).map(file => ({
    ...file,
    change: changes.get(file.path) ?? ('kept' as const),
  }))
  const removed = changed.filter(({ change }) => change === 'removed').map(file => ({ ...file, sizeBytes: 0 }))
  return {
    contract,
    gates,
    reports: status.workers.map(({ name, clauses, ending }) => ({
      worker: name,
      clauses,
      ending: ending ?? 'unknown',
      report: readIfPresent(paths.worker(name).report) ?? '',
    })),
    listing: [...files, ...removed],
    knownSecrets: listSessionSecrets(config, paths),
    round,
  }
}
