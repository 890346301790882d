import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { installFolder } from '../config/config.ts'
import { encodeName } from '../file-name.ts'
import { quoteForShell } from '../shell-quote.ts'

/** What git has in place of a large file: the SHA-256 and the size of its content. */
export interface LfsPointer {
  oid: string
  bytes: number
}

/** The folder with the filter that {@link lfsConfig} names. */
export const lfsFilterFolder = path.join(installFolder, 'host/lfs')

/** Lines of configuration for a repository of dispatch's own, by which git puts large files away as Git LFS does. */
export const lfsConfig = renderLfsConfig(path.join(lfsFilterFolder, 'filter.sh'))

/** The pointer of this text; undefined for any other text. Pure. */
export function parseLfsPointer(text: string): LfsPointer | undefined {
  const [, oid, bytes] = pointerPattern.exec(text) ?? []
  return oid === undefined ? undefined : { oid, bytes: Number(bytes) }
}

/** Where the content of a pointer is below a folder `lfs/objects`. Pure. */
export function getLfsObject(folder: string, { oid }: LfsPointer): string {
  return path.join(folder, oid.slice(0, 2), oid.slice(2, 4), oid)
}

/** Is this file the content of the pointer? It may be in a place where an agent writes: no link is followed. */
export async function isLfsContent(file: string, { oid, bytes }: LfsPointer): Promise<boolean> {
  const input = openRegularFile(file, bytes)
  if (input === undefined) return false
  const hash = createHash('sha256')
  await pipeline(input, hash)
  return hash.digest('hex') === oid
}

/** Copy the content of a pointer, in place of what is there. Paths are as `decodeNames` makes names. Returns false if the source is not that content. */
export async function copyLfsContent(source: string, target: string, pointer: LfsPointer): Promise<boolean> {
  const input = openRegularFile(source, pointer.bytes)
  if (input === undefined) return false
  fs.mkdirSync(encodeName(path.dirname(target)), { recursive: true })
  const sibling = encodeName(path.join(path.dirname(target), `.tmp-${randomBytes(8).toString('hex')}`))
  const mode = fs.lstatSync(encodeName(target), { throwIfNoEntry: false })?.mode ?? 0o600
  const hash = createHash('sha256')
  const countHash = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    await pipeline(input, countHash, fs.createWriteStream(sibling, { flags: 'wx', mode }))
    if (hash.digest('hex') !== pointer.oid) return false
    fs.renameSync(sibling, encodeName(target))
    return true
  } finally {
    fs.rmSync(sibling, { force: true })
  }
}

// --- internal ---

const pointerPattern =
  /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:ext-\d-.*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n?$/

const readFlags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK

/** Undefined for anything but a file of this size. */
function openRegularFile(file: string, bytes: number): fs.ReadStream | undefined {
  const stat = fs.lstatSync(encodeName(file), { throwIfNoEntry: false })
  if (!stat?.isFile() || stat.size !== bytes) return undefined
  return fs.createReadStream('', { fd: fs.openSync(encodeName(file), readFlags) })
}

function renderLfsConfig(script: string): string {
  const command = (step: string) => `"${`sh ${quoteForShell(script)} ${step}`.replace(/[\\"]/g, '\\$&')}"`
  return `[filter "lfs"]\n\tclean = ${command('clean')}\n\tsmudge = ${command('smudge')}\n\trequired = true\n`
}
