import fs from 'node:fs'
import os from 'node:os'
import { listNames, makePrivateFolder } from '#host/fs'
import {
  buildCacheVariables,
  copyHomeFiles,
  listSetupVariables,
  listToolchainPaths,
  type Toolchains,
} from '#host/toolchains'
import type { Dependencies } from './dependencies.ts'

/** How programs find their compilers, interpreters and caches: variables, and what must be readable for that. */
export interface ToolAccess {
  variables: Record<string, string>
  readablePaths: string[]
}

/**
 * Prepare a home for the programs of a check or a worker: with the caches that the setup left, each its own copy. A home that is
 * in use stays as it is, because an agent may have made links in it.
 */
export async function prepareToolHome(
  home: string,
  toolchains: Toolchains,
  dependencies: Extract<Dependencies, { ok: true }> | undefined,
): Promise<ToolAccess> {
  if (isNew(home)) {
    makePrivateFolder(home)
    copyHomeFiles(toolchains, os.homedir(), home)
    await dependencies?.copyCachesInto(home)
  }
  return {
    variables: { ...toolchains.variables, ...buildCacheVariables(home), ...dependencies?.variables },
    readablePaths: [...listToolchainPaths(toolchains), ...(dependencies?.readablePaths ?? [])],
  }
}

/** Prepare the home of a setup, whose programs make their caches there. Nothing may have run in it yet. */
export function prepareSetupHome(home: string, toolchains: Toolchains): ToolAccess {
  copyHomeFiles(toolchains, os.homedir(), home)
  return {
    variables: {
      ...listSetupVariables(toolchains),
      ...buildCacheVariables(home, { isSetup: true }),
      ...makeRelocatable,
    },
    readablePaths: listToolchainPaths(toolchains),
  }
}

// --- internal ---

function isNew(home: string): boolean {
  const stat = fs.lstatSync(home, { throwIfNoEntry: false })
  return stat === undefined || (stat.isDirectory() && listNames(home).length === 0)
}

/** What these tools would keep in the home, they make in the tree, which is what other trees get a copy of. */
const makeRelocatable = {
  POETRY_VIRTUALENVS_IN_PROJECT: 'true',
  PIPENV_VENV_IN_PROJECT: '1',
  YARN_ENABLE_GLOBAL_CACHE: 'false',
}
