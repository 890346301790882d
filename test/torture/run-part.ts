import { run } from 'node:test'
import { createRandom } from '../fixtures/scratch.ts'
import type { TorturePart } from './parts.ts'

const PROGRESS_INTERVAL_MS = 15_000

/** The result of a part that was given `seconds`. */
export interface PartResult {
  part: string
  rounds: number
  figures: string[]
  seconds: number
  tookSeconds: number
  hasPassed: boolean
  /** Files that were not started, because the time was over. */
  skippedFiles: string[]
}

/**
 * Run the files of one part for about `seconds`, one after the other, with progress on standard error. The files of a part
 * that can be cut are shuffled by `seed`, and none is started after the time is over.
 */
export async function runPart(part: TorturePart, seconds: number, seed: number): Promise<PartResult> {
  const startedMs = performance.now()
  const getElapsedSeconds = () => Math.round((performance.now() - startedMs) / 1000)
  const figures: string[] = []
  const skippedFiles: string[] = []
  let [passed, failed, skipped] = [0, 0, 0]
  const report = (line: string) => process.stderr.write(`  ${String(getElapsedSeconds()).padStart(4)} s  ${line}\n`)
  const progress = setInterval(() => report(`${passed} tests passed, ${failed} failed`), PROGRESS_INTERVAL_MS)
  for (const files of part.canBeCut ? shuffle(part.files, seed).map(file => [file]) : [part.files]) {
    if (part.canBeCut && getElapsedSeconds() >= seconds) {
      skippedFiles.push(...files.map(getTestName))
      continue
    }
    const fileSeconds = part.canBeCut ? seconds - getElapsedSeconds() : seconds
    const tests = run({
      files,
      concurrency: false,
      timeout: seconds * 2000 + 600_000, // Only for a test that hangs: a slow machine is not a failure.
      env: { ...process.env, ...part.buildEnvironment(fileSeconds, seed) },
      ...(part.only ? { testNamePatterns: [part.only] } : {}),
    })
    for await (const { type, data } of tests) {
      if (type === 'test:pass' && data.details.type === 'test' && data.skip === undefined) passed++
      if (type === 'test:pass' && typeof data.skip === 'string') {
        skipped++
        figures.push(`skipped: ${data.skip}`)
        report(`skipped: ${data.skip}`)
      }
      if (type === 'test:fail') {
        failed++
        const { cause } = data.details.error as { cause?: unknown }
        report(`FAILED ${data.name}\n${cause instanceof Error ? cause.stack : (cause ?? data.details.error)}`)
      }
      // Node's own summary has the same type, but no file.
      if (type === 'test:diagnostic' && data.file !== undefined) {
        figures.push(data.message)
        report(data.message)
      }
    }
  }
  clearInterval(progress)
  const counts = figures.flatMap(figure => part.rounds?.exec(figure)?.[1] ?? [])
  const rounds = part.rounds ? counts.reduce((total, count) => total + Number(count), 0) : passed
  return {
    part: part.name,
    rounds,
    figures,
    seconds,
    tookSeconds: getElapsedSeconds(),
    hasPassed: failed === 0 && (rounds > 0 || (part.mayBeSkipped === true && skipped > 0)),
    skippedFiles,
  }
}

function shuffle(files: string[], seed: number): string[] {
  const random = createRandom(seed)
  return files
    .map(file => ({ file, position: random() }))
    .sort((a, b) => a.position - b.position)
    .map(({ file }) => file)
}

function getTestName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).replace(/(\.test)?\.ts$/, '')
}
