/** The runners that a command starts by itself, by the names of their formats. */
export interface StartedRunners {
  runners: string[]
  /** It starts one run, which ends with one summary. */
  isOneRun: boolean
}

/**
 * What a command starts, if all of it is known: `cd api && python3 -m pytest tests | tail -5`. Undefined for a script, a task of
 * npm or make, a loop or a substitution: then only the output says what ran. Pure.
 */
export function findStartedRunners(command: string): StartedRunners | undefined {
  const plain = command.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '""').replace(/\d*[<>]+&?\s*[^\s|;&]*/g, ' ')
  if (/[`(){}]/.test(plain)) return undefined
  const segments = plain
    .split(/&&|\|\||[;|&\n]/)
    .map(removeLaunchers)
    .filter(Boolean)
  const starting = segments.map(segment => starts.find(({ pattern }) => pattern.test(segment)))
  if (segments.some((segment, index) => !starting[index] && !harmlessPattern.test(segment))) return undefined
  const started = starting.filter(start => start !== undefined)
  const [first] = started
  if (first === undefined) return undefined
  return { runners: started.flatMap(({ runners }) => runners), isOneRun: started.length === 1 && first.isOneRun }
}

/** Does a command look like a test run, such as `make check` or `sh run-tests.sh`, but not `test -f x`? Pure. */
export function looksLikeTestRun(command: string): boolean {
  const withoutShellTests = command.replace(/(^|[;&|(!\n]|\b(?:if|while|until|then|do|else)\b)\s*test\s/g, '$1 ')
  return testWordPattern.test(withoutShellTests)
}

/** Does a command only print or compare text? Then a summary in it is what a file says, not what ran. Pure. */
export function onlyReadsText(command: string): boolean {
  const plain = command.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '""')
  if (/[`(]/.test(plain)) return false
  const segments = plain.split(/&&|\|\||[;|\n]/).map(segment => segment.replace(/^[\s!]+/, ''))
  return segments.every(segment => segment === '' || readerPattern.test(segment))
}

// --- internal ---

/** Words of test runs, but not those of `npm i x@latest` or `cargo check`. */
const testWordPattern =
  /(?<!la|con|fas|grea)test|\bspecs?\b|_spec|rspec|(?<!cargo )\bcheck\b|verify|unit\b|jest|mocha|jasmine|karma|cypress|playwright|cucumber|\b(?:ava|tape?|tox|nox|bats|prove|pest|trial|rake|nose2?|mvnw?|gradlew?)\b/i

const readerPattern =
  /^(?:cat|grep|egrep|fgrep|rg|head|tail|sed|awk|cut|sort|uniq|tr|wc|ls|diff|cmp|jq|echo|printf|test|\[|stat|cd)(?:\s|$)/

/** Commands before and after a test run that print nothing of their own. */
const harmlessPattern = /^(?:cd|export|set|true|:|exit|mkdir|rm|cp|tail|head|tee|grep|sort)(?:\s|$)/

/** `FOO=1 timeout 60 npx jest`, as `jest`. */
function removeLaunchers(segment: string): string {
  return segment
    .trim()
    .replace(/^(?:\w+=[^\s]*\s+)+/, '')
    .replace(
      /^(?:(?:exec|time|command|nice|env|npx|bunx|pnpx|c8|nyc|cross-env|timeout\s+\d+\w?|xvfb-run|npm exec|(?:pnpm|yarn|bundle|poetry) exec|(?:pnpm|yarn) dlx|(?:uv|poetry|pipenv|pdm|hatch|rye) run|coverage run|pnpm|yarn)\s+(?:--?[\w-]+\s+|\w+=\S*\s+)*)+/,
      found => (/coverage run/.test(found) ? 'python ' : ''),
    )
}

const python = '(?:\\S*/)?(?:python[\\d.]*|pypy3?|py)(?:\\s+-[a-zA-Z]\\w*)*?\\s+'
const program = (names: string) => new RegExp(`^(?:\\S*/)?(?:${names})(?:\\s|$)`)

/** How each runner is started. A run of the later ones has a summary for each package, project or file. */
const starts: { pattern: RegExp; runners: string[]; isOneRun: boolean }[] = [
  ...[
    {
      pattern: new RegExp(`^${python}(?:-m\\s+)?pytest\\b|^(?:\\S*/)?(?:pytest|py\\.test)(?:\\s|$)`),
      runners: ['pytest'],
    },
    {
      pattern: new RegExp(`^${python}(?:-m\\s+(?:unittest|nose2|django\\s+test)|\\S*manage\\.py\\s+test)\\b`),
      runners: ['unittest'],
    },
    { pattern: program('nose2|trial|django-admin\\s+test'), runners: ['unittest'] },
    { pattern: /^(?:\S*\/)?node\s(?:.*\s)?--test(?:\s|$)/, runners: ['tap'] },
    { pattern: program('jest|react-scripts\\s+test'), runners: ['jest'] },
    { pattern: program('vitest'), runners: ['vitest'] },
    { pattern: program('mocha'), runners: ['mocha'] },
    { pattern: program('ava'), runners: ['ava', 'tap'] },
    { pattern: program('tape|bats|prove|tap'), runners: ['tap', 'mix'] },
    { pattern: program('playwright\\s+test'), runners: ['playwright'] },
    { pattern: program('bun\\s+test'), runners: ['bun'] },
    { pattern: program('deno\\s+test'), runners: ['deno'] },
    { pattern: program('jasmine'), runners: ['jasmine'] },
    { pattern: program('cargo\\s+(?:\\+\\S+\\s+)?nextest\\s+run'), runners: ['nextest'] },
    { pattern: program('rspec'), runners: ['rspec'] },
    { pattern: program('phpunit|pest'), runners: ['phpunit', 'pest'] },
    { pattern: program('ctest'), runners: ['ctest'] },
  ].map(start => ({ ...start, isOneRun: true })),
  ...[
    { pattern: program('cargo\\s+(?:\\+\\S+\\s+)?t(?:est)?'), runners: ['cargo'] },
    { pattern: program('go\\s+test|gotestsum'), runners: ['go'] },
    { pattern: program('mvnw?'), runners: ['surefire', 'testng', 'scalatest'] },
    { pattern: program('gradlew?'), runners: ['gradle'] },
    { pattern: program('dotnet\\s+test'), runners: ['dotnet'] },
    { pattern: program('mix\\s+test'), runners: ['mix'] },
    { pattern: program('swift\\s+test'), runners: ['xctest', 'swift-testing'] },
    { pattern: program('cypress\\s+run'), runners: ['mocha'] },
    { pattern: program('karma\\s+start'), runners: ['karma'] },
  ].map(start => ({ ...start, isOneRun: false })),
]
