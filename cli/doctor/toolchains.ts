import os from 'node:os'
import type { Config } from '#host/config'
import { findRepository } from '#host/git'
import { describeToolchain, findToolchains } from '#host/toolchains'
import { type DoctorResult, ok, warn } from './result.ts'

/** The compilers and interpreters of this shell that setups, checks and agents get, and those that they cannot get. */
export async function checkToolchains({ home, cloneFolder }: Config): Promise<DoctorResult[]> {
  // Another check says why a repository cannot be used.
  const repository = await findRepository(undefined, [cloneFolder, home]).catch(() => ({ path: process.cwd() }))
  const { found, problems } = await findToolchains({
    untrustedFolders: [home, ...(repository ? [repository.path] : [])],
  })
  const names = found.map(toolchain => describeToolchain(toolchain, os.homedir()))
  return [
    ...(names.length > 0 ? [ok('tools', `passed on, read-only: ${names.join(', ')}`)] : []),
    ...problems.map(problem => warn('tools', problem)),
  ]
}
