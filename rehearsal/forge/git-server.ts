import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { pickVariables } from '#host/config'
import { git } from '#host/git'

/** The user who pushes or fetches, and the folder that has `owner/name.git`. */
interface GitRequest {
  root: string
  user: string | undefined
  /** Of the repository, with its ending: `/owner/name.git/info/refs`. */
  pathname: string
  query: string
}

/** Answer a request of git over HTTP with git's own `git-http-backend`. Resolves when the answer is complete. */
export async function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  { root, user, pathname, query }: GitRequest,
): Promise<void> {
  const backend = path.join(await git(['--exec-path']), 'git-http-backend')
  const header = (name: string) => String(request.headers[name] ?? '')
  const child = spawn(backend, [], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...pickVariables(['PATH']),
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROTOCOL: header('git-protocol'),
      PATH_INFO: pathname,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: header('content-type'),
      CONTENT_LENGTH: header('content-length'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      ...(user === undefined ? {} : { REMOTE_USER: user }),
    },
  })
  child.stdin.on('error', () => undefined) // It may answer before it has read everything.
  request.pipe(child.stdin)
  const chunks: Buffer[] = []
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk)
  sendCgiAnswer(response, Buffer.concat(chunks))
}

// --- internal ---

/** Headers as lines, an empty line, and the body. */
function sendCgiAnswer(response: ServerResponse, answer: Buffer): void {
  const end = answer.indexOf('\r\n\r\n')
  const lines = answer.subarray(0, Math.max(0, end)).toString().split('\r\n')
  const headers = lines.flatMap(line => {
    const [, name = '', value = ''] = /^([\w-]+):\s*(.*)$/.exec(line) ?? []
    return name === '' ? [] : [[name.toLowerCase(), value] as const]
  })
  const status = Number(headers.find(([name]) => name === 'status')?.[1].slice(0, 3) ?? (end < 0 ? 500 : 200))
  response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'status')))
  response.end(answer.subarray(end + 4))
}
