import os from 'node:os'
import { describeToolchain, findToolchains } from '#host/toolchains'
import { type DoctorResult, ok, warn } from './result.ts'

/** The compilers and interpreters of this shell that setups, checks and agents get, and those that they cannot get. */
export async function checkToolchains(untrustedFolders: string[]): Promise<DoctorResult[]> {
  const { found, problems } = await findToolchains({ untrustedFolders })
  const names = found.map(toolchain => describeToolchain(toolchain, os.homedir()))
  return [
    ...(names.length > 0 ? [ok('tools', `handed on, read-only: ${names.join(', ')}`)] : []),
    ...problems.map(problem => warn('tools', problem)),
  ]
}
