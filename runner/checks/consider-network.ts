import type { RunResult } from '#host/exec.ts'
import { formatNames } from '#host/text.ts'
import type { SessionManifest } from '#session'
import type { TestCounts } from '#session/evidence'
import { listUnresolvedHosts } from '../dependencies/explain-failure.ts'
import type { CheckResult } from './classify-run.ts'

/**
 * A check that needs a host could not run, because in a sandbox checks have no network. It is told by the words of its output, which
 * may be those of a test about such an error, or of one test among others. So where tests were counted the result stays as it is, and
 * the reason only names the host; and names that no host has (`x.invalid`, `example.com`) do not count. The words can come from an
 * agent. They lower a red result to one that proves nothing, and change no other. Pure.
 */
export function considerNetwork(
  result: CheckResult,
  { stdout, stderr }: Pick<RunResult, 'stdout' | 'stderr'>,
  tests: TestCounts | undefined,
  sandbox: SessionManifest['sandbox']['kind'],
): CheckResult {
  if (result.outcome !== 'red' || sandbox === null) return result
  const output = `${stdout}\n${stderr}`
  const hosts = listUnresolvedHosts(output).filter(host => !reservedNames.test(host))
  if (hosts.length === 0 && !(noNameTold.test(output) && listUnresolvedHosts(output).length === 0)) return result
  const needs = hosts.length > 0 ? formatNames(hosts, MAX_HOST_COUNT) : 'the network'
  if (typeof tests === 'object' && tests.ran > 0)
    return { ...result, reason: `${result.reason}; it called ${needs}, and checks have no network` }
  return { outcome: 'could not run', reason: `it needs ${needs}, and checks have no network` }
}

// --- internal ---

const MAX_HOST_COUNT = 3

/** Reserved by RFC 2606 and 6761: tests use them for hosts that do not exist. */
const reservedNames = /(^|\.)(example\.(com|net|org)|example|invalid|test|localhost)\.?$/i

/** Python's words have no name in them. */
const noNameTold = /Temporary failure in name resolution/
