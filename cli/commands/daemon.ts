import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { isServiceInstalled } from '#host/user-service'
import { restartBackground } from '../background.ts'
import { defineCommand, UsageError } from '../command.ts'
import { runDaemon } from '../daemon.ts'
import { refuseAgent } from '../input/confirm.ts'
import { print } from '../output/terminal.ts'
import { takeFromGoneHost } from '../queue/gone-host.ts'
import { restartService } from '../service/actions.ts'

export const command = defineCommand({
  about: `
Looks after the sessions, and starts what waits in the queue when its turn has come. It runs until it is ended; \`dispatch "task"\` and
\`dispatch later\` start it in the background.
`,
  options: {
    restart: { type: 'boolean', about: 'start the daemon and the page again in the background, as after an update' },
    'host-gone': {
      type: 'boolean',
      about: 'with --restart: take the place of the daemon of another machine, because that machine is gone for good',
    },
  },
  async run(values) {
    const config = readConfig()
    const isHostGone = values['host-gone'] ?? false
    if (isHostGone && !values.restart) throw new UsageError('--host-gone needs --restart')
    if (!values.restart) return runDaemon(config)
    await refuseAgent('daemon --restart')
    if (isHostGone) await takeFromGoneHost(config)
    const restart = isHostGone && isServiceInstalled(config.home) ? restartService : restartBackground
    print(`the daemon runs again: process ${await restart(config)}`)
    return exitCodes.ok
  },
})
