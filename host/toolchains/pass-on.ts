import fs from 'node:fs'
import path from 'node:path'
import { listEntries } from './identity.ts'
import { toolchainKinds } from './known-tools.ts'
import type { Toolchain, Toolchains } from './toolchains.ts'

/** The variables of the toolchains for a setup: without those of folders that a setup makes for itself. */
export function listSetupVariables({ variables }: Toolchains): Record<string, string> {
  const own = toolchainKinds.flatMap(({ isMadeBySetup, word, variable = '' }) => {
    const value = variables[variable] ?? ''
    const isKept = value === word || (isMadeBySetup === 'if empty' && listEntries(value).length > 0)
    return isMadeBySetup && !isKept ? [variable] : []
  })
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !own.includes(name)))
}

/** What must be readable for the toolchains to work. Pure. */
export function listToolchainPaths({ found }: Toolchains): string[] {
  return [...new Set(found.flatMap(({ folder, readable }) => [folder, ...readable]))]
}

/** Copy the files that say which version counts everywhere into a home that is not that of the user. */
export function copyHomeFiles({ found }: Toolchains, userHome: string, home: string): void {
  for (const name of found.flatMap(({ homeFiles }) => homeFiles)) {
    const source = path.join(userHome, name)
    const target = path.join(home, name)
    if (!fs.statSync(source, { throwIfNoEntry: false })?.isFile()) continue
    fs.rmSync(target, { recursive: true, force: true })
    fs.copyFileSync(source, target, fs.constants.COPYFILE_EXCL)
  }
}

/** `rustup (~/.rustup)`. Pure. */
export function describeToolchain({ name, folder }: Toolchain, home: string): string {
  const short = folder.startsWith(`${home}/`) ? `~${folder.slice(home.length)}` : folder
  return name === short ? name : `${name} (${short})`
}

/** What to do about an output in which a version manager finds no version; undefined for any other output. Pure. */
export function explainComplaint(output: string): string | undefined {
  const kind = toolchainKinds.find(({ complaint }) => complaint?.test(output))
  if (kind === undefined) return undefined
  const remedy = `${kind.name} found no version to run; install the version that the project names`
  return kind.variable ? `${remedy}, or set ${kind.variable} to its folder in the shell that starts dispatch` : remedy
}
