import type { Install, ProjectFolder } from './install-step.ts'

/**
 * Run the tests of a Gradle project once, because Gradle fetches what runs tests only then. Code that does not compile fails the
 * setup, except where there is no task for that: builds for Android and Kotlin's multiplatform ones have no `testClasses`.
 */
export async function buildGradleInstall({ has, files, read }: ProjectFolder): Promise<Install> {
  const gradle = `${has('gradlew') ? './gradlew' : 'gradle'} --no-daemon`
  const builds = files.filter(file => buildFilePattern.test(file)).slice(0, MAX_BUILD_FILES)
  const text = (await Promise.all(builds.map(file => read(file)))).join('\n')
  if (multiplatformPattern.test(text)) return { command: `${gradle} --continue allTests || true`, patterns }
  if (androidPattern.test(text)) return { command: `${gradle} --continue test || true`, patterns }
  return { command: `${gradle} testClasses`, optional: `${gradle} --continue test || true`, patterns }
}

// --- internal ---

/** What names dependencies: builds, catalogues of versions, properties with them, and code of the build itself. */
const patterns = [
  '**/*.gradle',
  '**/*.gradle.kts',
  '**/*.versions.toml',
  '**/gradle.properties',
  '**/gradle-wrapper.properties',
  '**/gradle.lockfile',
  '**/buildSrc/**',
]
const MAX_BUILD_FILES = 40

/** Those of the root and of its modules. */
const buildFilePattern = /^(?:[^/]+\/)?(?:build|settings)\.gradle(?:\.kts)?$/
const multiplatformPattern =
  /\bkotlin\(["']multiplatform["']\)|org\.jetbrains\.kotlin\.multiplatform|kotlin\.?multiplatform\)/i
const androidPattern = /["']com\.android\.(?:application|library|test)["']|plugins\.android\.(?:application|library)/
