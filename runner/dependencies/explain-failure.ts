import type { RunResult } from '#host/exec.ts'
import { sanitize, stripEscapeSequences, toOneLine } from '#host/text.ts'
import { SECOND_MS } from '#host/time.ts'
import { explainComplaint } from '#host/toolchains'
import type { SessionStatus } from '#session/status'

/** Why an install command failed, as far as its run tells; undefined if it did not, or if it ends with `|| true`. Pure. */
export function explainFailure(command: string, run: RunResult): string | undefined {
  const cause = selectTellingLines(`${run.stdout}\n${run.stderr}`).join('; ')
  const because = cause === '' ? '' : `: ${toOneLine(cause, MAX_CAUSE_CHARS)}`
  const name = `\`${toOneLine(command, MAX_COMMAND_CHARS)}\``
  if (run.timedOut && mayFail.test(command)) return undefined // What it has made until then is better than nothing.
  if (run.timedOut) return `${name} timed out after ${Math.round(run.milliseconds / SECOND_MS)} s${because}`
  if (run.startError !== undefined) return `${name} did not start: ${run.startError}`
  if (run.exitCode === undefined) return `${name} was ended by ${run.signal ?? 'a signal'}${because}`
  if (run.exitCode === 127) return `${name} needs a program that is not on this machine${because}`
  const complaint = explainComplaint(`${run.stdout}\n${run.stderr}`)
  const remedy = complaint === undefined ? '' : `; ${complaint}`
  return run.exitCode === 0 ? undefined : `${name} ended with exit ${run.exitCode}${because}${remedy}`
}

/** A failed setup as the reason why there is no contract; undefined if that has another reason. Pure. */
export function explainMissingContract({ contract, dependencies }: SessionStatus): string | undefined {
  if (contract !== undefined || dependencies?.state !== 'failed') return undefined
  return `the project's setup failed, so no check can run: ${dependencies.reason}`
}

/**
 * The lines of an output that say why a package tool failed, in its own words: at most two. Most tools end with where their
 * log is, or with advice, so the last line seldom tells. Pure.
 */
export function selectTellingLines(output: string): string[] {
  const lines = sanitize(stripEscapeSequences(output))
    .split('\n')
    .map(line => line.replace(linePrefixes, '').trim())
    .filter(line => line !== '' && !footers.test(line))
  for (const { pattern, pick } of tellingPatterns) {
    const matches = lines.filter(line => pattern.test(line))
    const found = pick === 'last' ? matches.at(-1) : matches[0]
    if (found !== undefined) return [found, ...selectCause(lines, found)]
  }
  return lines.slice(-1)
}

/** The hosts that an output says could not be found. In a sandbox these were called past its proxy. Pure. */
export function listUnresolvedHosts(output: string): string[] {
  const found = [...output.matchAll(UNRESOLVED_HOST)].flatMap(([, ...names]) => names.find(Boolean) ?? [])
  return [...new Set(found)].filter(name => name.includes('.') && !/^\d+(\.\d+){3}$/.test(name))
}

// --- internal ---

const mayFail = /\|\| *true *$/

const MAX_CAUSE_CHARS = 220
const MAX_COMMAND_CHARS = 80

/** What tools put in front of each line: npm, pnpm, yarn, pip's boxes, Maven. */
const linePrefixes = /^\s*(?:npm (?:error|ERR!)|\u2009?ERROR\u2009(?!:)|➤|\[ERROR\]|[│|╰─>▶×]+(?=\s))?\s*(?:│\s*)?/

/** Where a log is, advice, summaries, and the lines around the one that tells. */
const footers =
  /^(npm notice|A complete log of this run|For a full report|\[notice\]|note: |hint: |info |To see the full stack|Re-run Maven|For more information about|\[Help \d\]|Help:|code E?\w+$|errno |syscall |path \/|command (failed|sh)|network (This is a problem|In most cases|'proxy' config)|If you are behind a proxy|at \S+ \(|at async |at file:|This error happened while|This is an error with|ELIFECYCLE|error Command failed|Exit code: |Arguments: |Directory: |Output:$|YN0000|\* (Try|Get more help)|> (Run with|Get more help)|BUILD FAILED|In Gemfile|Probable Causes|install \[|make(\[\d+\])?: \*\*\*|warning |WARN|Caused by:$|\d+ (packages|vulnerabilities)|run `npm|Progress: )/i

/** From what tells most to what tells least. */
const tellingPatterns: { pattern: RegExp; pick: 'first' | 'last' }[] = [
  // The certificate of a proxy that a tool does not know. Node names it below the request that failed.
  {
    pattern:
      /self[- ]signed certificate|unable to (get local issuer|verify the first) certificate|certificate verify failed|x509: /i,
    pick: 'first',
  },
  // A registry that refuses, in the words of npm, pnpm, yarn, bun, pip, uv, poetry, composer, Maven, Gradle.
  {
    pattern:
      /^(\d{3} .* - (GET|PUT) |ERR_PNPM_\w+|\d{3} (Client )?Error|YN(?!0000|0002|0007|0008|0013|0060|0061|0085|0086)\d{4}: )/,
    pick: 'first',
  },
  {
    pattern:
      /could not read Username|(invalid|failed|required|missing|bad).{0,40}(authentication|credentials|username|password)|unable to authenticate/i,
    pick: 'first',
  },
  {
    pattern: /(Authentication is required|Received status code|HTTP\/\S+ 4\d\d|status: 4\d\d|\(4\d\d \w+\))/i,
    pick: 'last',
  },
  // A host that was not found or refused.
  {
    pattern:
      /(Could not resolve host|getaddrinfo|no such host|Unknown host|Name or service not known|Temporary failure in name resolution|ECONNREFUSED|blocked by network allowlist|Could not reach host|All attempts to connect to|Tunnel connection failed|tunneling socket could not|Proxy CONNECT aborted|Could not fetch specs)/i,
    pick: 'first',
  },
  // A lock file that does not fit, a version that does not exist, a compiler that is missing.
  {
    pattern:
      /(can only install packages when|frozen[- ]lockfile|lockfile (needs to be|would have been|had changes)|lock file .*needs to be updated|changed significantly since|ERESOLVE|No matching distribution|No solution found|Unable to find installation candidates|could not be resolved to an installable|Could not find (gem|a version)|could not resolve dependencies|notarget|ensurepip is not|No module named|Your Ruby version is|An error occurred while installing)/i,
    pick: 'first',
  },
  { pattern: /^(error: command '.*' failed|\w*(Error|Exception): )/, pick: 'last' },
  { pattern: /^(error|ERROR|fatal|FATAL|go|panic)(\[\w+\])?:? /, pick: 'first' },
  {
    pattern: /(not found|No such file or directory|Permission denied|No space left on device|Killed|cannot )/i,
    pick: 'last',
  },
]

/** What cargo, uv and composer name as the cause of a line that only names the package. */
function selectCause(lines: string[], found: string): string[] {
  if (!/^error: |^YN/.test(found)) return []
  const cause = lines.findLast(line => /^(Caused by: |\[\d+\] |.*\(os error \d+\))/.test(line))
  return cause === undefined || cause === found ? [] : [cause.replace(/^Caused by: /, '')]
}

const UNRESOLVED_HOST =
  /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)|Could not resolve host(?:name)?: ([\w.-]+)|lookup ([\w.-]+)[ :].*(?:no such host|network is unreachable|Temporary failure)|unable to resolve host address [‘'"]?([\w.-]+)|Failed to open TCP connection to ([\w.-]+):\d+ \(getaddrinfo|Unknown host:? ([\w.-]+)|Failed to resolve '([\w.-]+)'/gi
