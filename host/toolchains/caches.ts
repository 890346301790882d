import path from 'node:path'
import { copyTree } from '../fs/copy-tree.ts'
import { makePrivateFolder } from '../fs/files.ts'
import { resolveInHome } from './folders.ts'

/** What a package tool keeps in its home, and needs again when there is no network. */
interface Cache {
  variable: string
  /** Where it is in a home: the first that exists. The last is for macOS, if there is one of its own. */
  places: string[]
  /** The tool writes into it whenever it runs, so each check and each worker has a copy. Else all read the same folder. */
  isWritten?: boolean
}

/** Of each tool what it can use later. Downloads that only an installation reads, such as those of npm and pip, are not here. */
const caches: Cache[] = [
  { variable: 'COREPACK_HOME', places: ['.cache/node/corepack'] },
  { variable: 'PNPM_HOME', places: ['.local/share/pnpm', 'Library/pnpm'] },
  { variable: 'BUN_INSTALL_CACHE_DIR', places: ['.bun/install/cache'] },
  { variable: 'PLAYWRIGHT_BROWSERS_PATH', places: ['.cache/ms-playwright', 'Library/Caches/ms-playwright'] },
  { variable: 'PUPPETEER_CACHE_DIR', places: ['.cache/puppeteer'] },
  { variable: 'CYPRESS_CACHE_FOLDER', places: ['.cache/Cypress', 'Library/Caches/Cypress'] },
  { variable: 'UV_PYTHON_INSTALL_DIR', places: ['.local/share/uv/python'] },
  { variable: 'UV_CACHE_DIR', places: ['.cache/uv'], isWritten: true },
  { variable: 'POETRY_CACHE_DIR', places: ['.cache/pypoetry', 'Library/Caches/pypoetry'], isWritten: true },
  { variable: 'PRE_COMMIT_HOME', places: ['.cache/pre-commit'], isWritten: true },
  { variable: 'GOMODCACHE', places: ['go/pkg/mod'] },
  { variable: 'GOCACHE', places: ['.cache/go-build', 'Library/Caches/go-build'], isWritten: true },
  { variable: 'CARGO_HOME', places: ['.cargo'] },
  { variable: 'GRADLE_USER_HOME', places: ['.gradle'], isWritten: true },
  { variable: 'NUGET_PACKAGES', places: ['.nuget/packages'] },
  { variable: 'DENO_DIR', places: ['.cache/deno', 'Library/Caches/deno'], isWritten: true },
  { variable: 'MIX_HOME', places: ['.mix'] },
  { variable: 'HEX_HOME', places: ['.hex'] },
  { variable: 'COURSIER_CACHE', places: ['.cache/coursier/v1', 'Library/Caches/Coursier/v1'], isWritten: true },
]

/** What tools find by the home alone, and write into: of Maven what it and `mvnw` downloaded; of Dart, Conan, Julia and Zig all. */
const placesByHome = ['.m2/repository', '.m2/wrapper', '.pub-cache', '.conan2', '.julia', '.cache/zig']

/** The caches that a setup left in its home and that nothing writes into: each variable with its folder. */
export function findSharedCaches(setupHome: string): Record<string, string> {
  return Object.fromEntries(
    caches
      .filter(({ isWritten }) => !isWritten)
      .flatMap(({ variable, places }) => {
        const [folder] = places.flatMap(place => resolveInHome(setupHome, place) ?? [])
        return folder === undefined ? [] : [[variable, folder]]
      }),
  )
}

/**
 * The variables by which tools write their caches into a home that is not that of the user, as HOME does in most. Java takes
 * the home of the user from the system, whatever HOME says, so Maven and Gradle would read and write there. Pure.
 */
export function buildCacheVariables(
  home: string,
  { isSetup = false, platform = process.platform }: { isSetup?: boolean; platform?: NodeJS.Platform } = {},
): Record<string, string> {
  const written = caches.filter(({ isWritten }) => isWritten)
  return {
    ...Object.fromEntries(
      written.map(({ variable, places }) => [
        variable,
        path.join(home, (platform === 'darwin' ? places.at(-1) : places[0]) ?? ''),
      ]),
    ),
    // Maven splits its options at blanks.
    ...(/\s/.test(home) ? {} : { MAVEN_OPTS: [`-Duser.home=${home}`, ...(isSetup ? [] : [useAnyDownload])].join(' ') }),
  }
}

/**
 * Maven records from which repository each file came, and fetches it again where the settings name another one. The settings of the
 * user are there in the setup only. Under another name Maven finds no such record, and takes what is there.
 */
const useAnyDownload = '-Daether.enhancedLocalRepository.trackingFilename=none'

/** Copy the caches that a setup left in its home, and that tools write into, into a home of their own. */
export async function copyWrittenCaches(setupHome: string, home: string): Promise<void> {
  const places = caches.filter(({ isWritten }) => isWritten).flatMap(cache => cache.places)
  for (const place of [...places, ...placesByHome]) {
    const source = resolveInHome(setupHome, place)
    if (source === undefined) continue
    makePrivateFolder(path.dirname(path.join(home, place)))
    await copyTree(source, path.join(home, place))
  }
}
