import type { Config } from '#host/config'
import { findRunningServer, probePort } from '#webui'
import { type DoctorResult, ok, warn } from './result.ts'

/** Is the port of the web page free, or in use by the page or by another program? */
export async function checkPage({ WEBUI_PORT: port, home }: Config): Promise<DoctorResult> {
  if (port === 0) return ok('page', 'switched off (WEBUI_PORT=0)')
  const url = await findRunningServer(home)
  if (url !== undefined) return ok('page', url)
  const user = await probePort(port, home)
  if (typeof user === 'object') return ok('page', `http://127.0.0.1:${port}, served by process ${user.pid}`)
  if (user === 'free') return ok('page', `port ${port} is free; the page starts with the next session`)
  const fixWith = (command: string) =>
    `Nothing to do: the page uses the next free port. \`${command}\` shows the program. To choose another port, set WEBUI_PORT in ${home}/.env`
  return warn('page', `port ${port} is in use by another program`, {
    mac: fixWith(`lsof -nP -iTCP:${port} -sTCP:LISTEN`),
    linux: fixWith(`ss -ltnp 'sport = :${port}'`),
  })
}
