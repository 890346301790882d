import os from 'node:os'
import { listDependencyVariables, listUnsetVariables } from '#host/config'
import { listMissingPrograms, type ProjectFile } from '#host/project'
import { sanitize } from '#host/text.ts'
import { describeToolchain, type Toolchains } from '#host/toolchains'
import type { SessionManifest } from '#session'
import { paint, print } from './terminal.ts'

/** A project file: which commands it runs, when, and what isolates them. */
export function printProjectFile(
  { file, project }: Pick<ProjectFile, 'file' | 'project'>,
  sandbox: SessionManifest['sandbox'],
  toolchains: Toolchains,
): void {
  const { setup, lockfiles, hosts, environment, credentials, makes, files, services, models } = project
  const hasSetup = setup.length > 0
  print(paint('bold', file))
  printRows('runs', setup)
  if (lockfiles.length > 0) printRows('when', [`one of these changes: ${lockfiles.join(', ')}`])
  else if (hasSetup) printRows('when', ['any file changes (no lockfiles are listed)'])
  if (hasSetup) printRows('network', [hosts.length > 0 ? hosts.join(', ') : 'no hosts are listed'])
  if (hasSetup)
    printRows(
      'variables',
      [...new Set([...environment, ...listDependencyVariables(environment)])].map(describeVariable),
    )
  printRows(
    'reads',
    credentials.map(name => `${name} (only these commands; agents and checks cannot)`),
  )
  const tools = toolchains.found.map(toolchain => describeToolchain(toolchain, os.homedir()))
  if (tools.length > 0) printRows('tools', [`${tools.join(', ')}: readable for everything that runs`])
  printRows('creates', makes)
  printRows(
    'copies',
    files.map(name => `${name} (git ignores it; agents and checks will see it)`),
  )
  printRows(
    'services',
    services.flatMap(({ name, command, ready }) => [
      `${name}, beside checks and code workers: ${command}`,
      `  ready when: ${ready}`,
    ]),
  )
  printRows(
    'models',
    Object.entries(models).map(([name, choice]) => {
      const roles = Object.entries(choice).map(([role, model]) => `${role} ${model}`)
      return `${name}: ${roles.join(', ')} (for queued work)`
    }),
  )
  const limits =
    sandbox.kind === null
      ? `No sandbox (${sandbox.reason}): these commands run with your rights and can reach any host.`
      : `These commands run in a sandbox (${sandbox.kind}) and can reach only the hosts listed.`
  if (hasSetup) print(paint('dim', `  ${limits}`))
  for (const line of [...listMissingPrograms(setup), ...toolchains.problems]) print(paint('yellow', `  ${line}`))
}

// --- internal ---

function describeVariable(name: string): string {
  return listUnsetVariables([name]).length > 0 ? `${name} (not set here)` : `${name} (from your shell)`
}

function printRows(name: string, values: string[]): void {
  for (const [index, value] of values.entries()) print(`  ${(index === 0 ? name : '').padEnd(9)} ${sanitize(value)}`)
}
