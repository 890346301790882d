import type { Config } from '#host/config'
import { readRunningDaemon } from '#host/installed-code'
import { isServiceInstalled, openUserService } from '#host/user-service'
import { type DoctorResult, ok, warn } from './result.ts'

/** Does the service run that keeps the daemon, if one is installed? */
export async function checkService({ home }: Config): Promise<DoctorResult> {
  if (!isServiceInstalled(home))
    return ok('service', 'not installed; the daemon starts with the first `dispatch` after a reboot')
  const service = openUserService(home)
  const { pid, isEnabled } = await service.readState()
  const fix = '`dispatch service logs` says why; `dispatch service restart` starts it'
  if (pid === undefined) return warn('service', `installed, but it does not run (${service.file})`, fix)
  if (readRunningDaemon(home)?.process.pid !== pid)
    return warn('service', `process ${pid} of the service is not the daemon of this home`, fix)
  if (!isEnabled) return warn('service', 'it does not start with your login', '`dispatch service install`')
  if (service.kind === 'systemd' && !(await service.survivesLogout()))
    return warn('service', 'it ends when you log out', '`sudo loginctl enable-linger "$USER"`')
  return ok('service', `keeps the daemon, process ${pid}`)
}
