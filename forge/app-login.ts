import fs from 'node:fs'
import { createAppAuth } from '@octokit/auth-app'
import { DispatchError, exitCodes, isErrno } from '#host/error.ts'

/** What a GitHub App signs in with. */
export interface AppLogin {
  appId: string
  keyFile: string
}

/** The part of a client that asks for the installation of an App; without one, the App speaks for itself. */
export function createAppStrategy({ appId, keyFile }: AppLogin, installationId?: number) {
  const auth = { appId, privateKey: readKey(keyFile), ...(installationId === undefined ? {} : { installationId }) }
  return { authStrategy: createAppAuth, auth }
}

// --- internal ---

/** Exit 7 where the file is missing, cannot be read, or is no private key. */
function readKey(file: string): string {
  let text = ''
  try {
    text = fs.readFileSync(file, 'utf8')
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'EISDIR', 'EPERM', 'ENOTDIR')) throw error
    throw new DispatchError('the file that GITHUB_APP_KEY_FILE names cannot be read', {
      exitCode: exitCodes.login,
      remedy: 'Download the private key of the App, and name the file.',
    })
  }
  if (/-----BEGIN (RSA )?PRIVATE KEY-----/.test(text)) return text
  throw new DispatchError('the file that GITHUB_APP_KEY_FILE names is no private key', {
    exitCode: exitCodes.login,
    remedy: 'Download the private key of the App (a .pem file), and name that file.',
  })
}
