/** Door: send the one notice that stands on stdin as JSON, and print what became of it as one line of JSON. */
import { text } from 'node:stream/consumers'
import { DispatchError, exits, readEnvironment } from '../host/index.ts'
import { Notice, push } from '../notify/index.ts'

try {
  const notice = Notice.safeParse(parsed(await text(process.stdin)))
  if (!notice.success) {
    const places = notice.error.issues.map(issue => issue.path.join('.') || 'the whole')
    throw new DispatchError(`this is no notice: ${places.join(', ')} does not read`, { exit: exits.usage })
  }
  print(process.stdout, JSON.stringify(await push(notice.data, readEnvironment())), exits.ok)
} catch (error) {
  if (!(error instanceof DispatchError)) throw error
  print(process.stderr, [`push: ${error.message}`, error.remedy].filter(Boolean).join('\n'), error.exit)
}

function parsed(input: string): unknown {
  try {
    return JSON.parse(input)
  } catch {
    return undefined
  }
}

/** Exit once the line is out; a request that outlived its deadline must not hold the process. */
function print(stream: NodeJS.WriteStream, line: string, code: number): void {
  stream.write(`${line}\n`, () => process.exit(code))
}
