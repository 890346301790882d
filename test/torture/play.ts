import { run } from 'node:test'
import { createRandom } from '../fixtures/scratch.ts'
import type { TorturePart } from './parts.ts'

/** What came of a part: `seconds` were given to it, and it `took` so many. */
export interface PartResult {
  part: string
  rounds: number
  figures: string[]
  seconds: number
  tookSeconds: number
  hasPassed: boolean
  /** Files that its time did not suffice for. */
  skippedFiles: string[]
}

/**
 * Run the files of one part for about so many seconds, one after the other, and tell on standard error how it goes. Of a part
 * that may be cut short, no file is begun any more when the time is over; its order is one of the seed.
 */
export async function runPart(part: TorturePart, seconds: number, seed: number): Promise<PartResult> {
  const began = performance.now()
  const since = () => Math.round((performance.now() - began) / 1000)
  const figures: string[] = []
  const skippedFiles: string[] = []
  let [passed, failed] = [0, 0]
  const tell = (line: string) => process.stderr.write(`  ${String(since()).padStart(4)} s  ${line}\n`)
  const ticking = setInterval(() => tell(`${passed} tests held, ${failed} failed`), 15_000)
  for (const files of part.canBeCut ? shuffled(part.files, seed).map(file => [file]) : [part.files]) {
    if (part.canBeCut && since() >= seconds) {
      skippedFiles.push(...files.map(nameOf))
      continue
    }
    const running = run({
      files,
      concurrency: false,
      timeout: seconds * 2000 + 600_000, // Nothing may hang for ever, and a slow machine is no failure.
      env: { ...process.env, ...part.buildEnvironment(part.canBeCut ? seconds - since() : seconds, seed) },
      ...(part.only ? { testNamePatterns: [part.only] } : {}),
    })
    for await (const { type, data } of running) {
      if (type === 'test:pass' && data.details.type === 'test' && data.skip === undefined) passed++
      if (type === 'test:fail') {
        failed++
        const { cause } = data.details.error as { cause?: unknown }
        tell(`FAILED ${data.name}\n${cause instanceof Error ? cause.stack : (cause ?? data.details.error)}`)
      }
      // Node's own summary comes the same way, and stands in no file.
      if (type === 'test:diagnostic' && data.file !== undefined) {
        figures.push(data.message)
        tell(data.message)
      }
    }
  }
  clearInterval(ticking)
  const counted = figures.flatMap(figure => part.rounds?.exec(figure)?.[1] ?? [])
  const rounds = part.rounds ? counted.reduce((total, count) => total + Number(count), 0) : passed
  return {
    part: part.name,
    rounds,
    figures,
    seconds,
    tookSeconds: since(),
    hasPassed: failed === 0 && rounds > 0,
    skippedFiles,
  }
}

function shuffled(files: string[], seed: number): string[] {
  const random = createRandom(seed)
  return files
    .map(file => ({ file, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ file }) => file)
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).replace(/(\.test)?\.ts$/, '')
}
