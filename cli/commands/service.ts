import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { defineCommand, listActions } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { readConfigOrDefaults } from '../input/session.ts'
import { printProcessLog } from '../output/process-log.ts'
import { print } from '../output/terminal.ts'
import { printServiceStatus, restartService, uninstallService } from '../service/actions.ts'
import { installService } from '../service/install.ts'

const forms = { options: { status: ['json'], install: [], restart: [], logs: [], uninstall: [] } } as const

export const command = defineCommand({
  about: `
Has the system keep the daemon, which goes on with sessions that were cut off, starts what waits in the queue, sends notifications and
keeps the web page open: after a reboot, after a logout, and whenever it ends. Everything works without it, from the first \`dispatch\`
on until the machine is switched off. It is one unit of systemd for your user, or a LaunchAgent. Install it again after you have changed
PATH or a proxy.

  dispatch service install     installs it, or brings it up to date
  dispatch service             whether it runs, since when, and its version
  dispatch service restart     the daemon and the page; sessions go on
  dispatch service logs        what the daemon has done
  dispatch service uninstall   removes it
`,
  usage: 'service [action] [options]',
  options: { json: { type: 'boolean', about: 'with status: print JSON instead of text' } },
  forms,
  choices: { action: () => listActions(forms) },
  async run(values, [action = 'status']) {
    if (action === 'logs') return printProcessLog(readConfigOrDefaults(), 'daemon')
    if (action === 'status') return printServiceStatus(readConfigOrDefaults(), values)
    await refuseAgent(`service ${action}`)
    const config = readConfig()
    if (action === 'install') await installService(config)
    else if (action === 'uninstall') await uninstallService(config)
    else print(`the daemon runs again: process ${await restartService(config)}`)
    return exitCodes.ok
  },
})
