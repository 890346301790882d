import type { Install, ProjectFolder } from './install-step.ts'

/**
 * Fetch what the build needs, and run the tests once, because Maven fetches what runs tests only then. Up to version 3.8
 * `dependency:go-offline` does not find one module of a project for another, so there a build that compiles nothing decides.
 */
export async function buildMavenInstall({ has, files, read }: ProjectFolder): Promise<Install> {
  const maven = `${has('mvnw') ? './mvnw' : 'mvn'} --batch-mode`
  const hasModules = /<(modules|subprojects)>/.test(await read('pom.xml'))
  const settings = has('.mvn/wrapper/maven-wrapper.properties')
    ? await read('.mvn/wrapper/maven-wrapper.properties')
    : ''
  // `mvnw` puts this beside its settings, unless they say that it needs none.
  const needsJar = has('mvnw') && !has(wrapperJar) && !/^distributionType *= *only-script/m.test(settings)
  return {
    command: hasModules
      ? `${maven} -Dmaven.main.skip -Dmaven.test.skip test-compile`
      : `${maven} dependency:go-offline`,
    optional: hasModules
      ? `${maven} dependency:go-offline; ${maven} --fail-at-end test || true`
      : `${maven} --fail-at-end test || true`,
    patterns: ['**/pom.xml', ...(files.some(file => file.startsWith('.mvn/')) ? ['.mvn/**'] : [])],
    makes: needsJar ? [wrapperJar] : [],
  }
}

// --- internal ---

const wrapperJar = '.mvn/wrapper/maven-wrapper.jar'
