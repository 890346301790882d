import type { ProjectFolder } from './install-step.ts'

/**
 * Run the tests of a Gradle project once, because Gradle fetches what runs tests only then. Code that does not compile fails the
 * setup, except where there is no task for that: builds for Android and Kotlin's multiplatform ones have no `testClasses`.
 */
export async function buildGradleInstall({ has, files, read }: ProjectFolder): Promise<string> {
  const gradle = `${has('gradlew') ? './gradlew' : 'gradle'} --no-daemon`
  const builds = files.filter(file => buildFilePattern.test(file)).slice(0, MAX_BUILD_FILES)
  const text = (await Promise.all(builds.map(file => read(file)))).join('\n')
  if (multiplatformPattern.test(text)) return `${gradle} --continue allTests || true`
  if (androidPattern.test(text)) return `${gradle} --continue test || true`
  return `${gradle} testClasses && (${gradle} --continue test || true)`
}

// --- internal ---

const MAX_BUILD_FILES = 40

/** Those of the root and of its modules. */
const buildFilePattern = /^(?:[^/]+\/)?(?:build|settings)\.gradle(?:\.kts)?$/
const multiplatformPattern =
  /\bkotlin\(["']multiplatform["']\)|org\.jetbrains\.kotlin\.multiplatform|kotlin\.?multiplatform\)/i
const androidPattern = /["']com\.android\.(?:application|library|test)["']|plugins\.android\.(?:application|library)/
