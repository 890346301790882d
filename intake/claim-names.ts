import { createHmac, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { readIfPresent, toStorageError, writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'

/**
 * A new name for the folder of a claim. A repository may bring any folder, so a name counts only with this home's signature, which
 * needs a secret that is in no repository.
 */
export function createClaimName(home: string): string {
  const nonce = randomBytes(8).toString('hex')
  return `${sign(ensureSecret(home), home, nonce)}-${nonce}`
}

/** Which names in `taken/` this home has signed, and which ones an older dispatch would have given them, which anyone could. */
export function selectClaimNames(home: string, names: string[]): { own: string[]; older: string[] } {
  const older = names.filter(name => olderPattern.test(name))
  const signed = names.filter(name => signedPattern.test(name)) // Every file that was ever taken has its folder there.
  const secret = signed.length === 0 ? undefined : readSecret(home)
  const olderOwner = older.length === 0 ? '' : sha256(home).slice(0, 8)
  return {
    own:
      secret === undefined
        ? []
        : signed.filter(name => name === `${sign(secret, home, getNonce(name))}-${getNonce(name)}`),
    older: older.filter(name => name.startsWith(olderOwner)),
  }
}

/** The part of a claim's name that no other has. Pure. */
export function getNonce(name: string): string {
  return name.slice(name.indexOf('-') + 1)
}

// --- internal ---

const SECRET_FILE = 'inbox-secret'
const signedPattern = /^[0-9a-f]{32}-[0-9a-f]{16}$/
const olderPattern = /^[0-9a-f]{8}-[0-9a-f]{16}$/

/** Two homes may have the same project, and one may be a copy of the other; each goes on with its own claims only. */
function sign(secret: string, home: string, nonce: string): string {
  return createHmac('sha256', secret).update(`${home}\n${nonce}`).digest('hex').slice(0, 32)
}

function readSecret(home: string): string | undefined {
  const secret = readIfPresent(path.join(home, SECRET_FILE))?.trim()
  return secret !== undefined && /^[0-9a-f]{64}$/.test(secret) ? secret : undefined
}

/** It is made when it is first needed, and whole on the disk before a name is signed with it. Of two that make one, one counts. */
function ensureSecret(home: string): string {
  const known = readSecret(home)
  if (known !== undefined) return known
  const file = path.join(home, SECRET_FILE)
  const draft = path.join(home, `.tmp-${randomBytes(8).toString('hex')}`)
  const secret = randomBytes(32).toString('hex')
  writeAtomic(draft, `${secret}\n`)
  try {
    fs.linkSync(draft, file)
    return secret
  } catch (error) {
    const other = readSecret(home)
    if (isErrno(error, 'EEXIST') && other !== undefined) return other
    if (!isErrno(error, 'EEXIST', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP')) throw toStorageError(file, error)
    fs.renameSync(draft, file) // It was damaged, or the disk has no hard links.
    return secret
  } finally {
    fs.rmSync(draft, { force: true })
  }
}
