import { listNames, readUntrusted } from '#host/fs'
import type { SessionPaths } from '#session/readonly.ts'

const MAX_RAW_BYTES = 1024 * 1024

/** The only files of a session that the page serves, in the order in which a person reads them. */
const readableFiles: [name: string, getPath: (paths: SessionPaths) => string][] = [
  ['task.md', paths => paths.task],
  ['plan.md', paths => paths.plan],
  ['contract.md', paths => paths.contract],
  ['verdict.md', paths => paths.verdictText],
  ['verdict.json', paths => paths.verdictRecord],
  ['events.jsonl', paths => paths.events],
]

/** List the readable files that exist. */
export function listReadableFiles(paths: SessionPaths): string[] {
  const names = listNames(paths.folder)
  return readableFiles.map(([name]) => name).filter(name => names.includes(name))
}

/** Read a readable file as text, up to 1 MiB. Undefined for any other name, and for a link or a pipe. */
export function readRawFile(paths: SessionPaths, name: string): string | undefined {
  const readable = readableFiles.find(([allowed]) => allowed === name)
  const bytes = readable && readUntrusted(readable[1](paths), MAX_RAW_BYTES + 1)
  if (bytes === undefined) return undefined
  const text = bytes.subarray(0, MAX_RAW_BYTES).toString('utf8')
  return bytes.length > MAX_RAW_BYTES ? `${text}\n[cut at 1 MiB]\n` : text
}
