import type { Login } from '#host/claude'
import { type Config, pickVariables } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import { listEnabledChannels } from '#notify'
import { printCost } from '../output/cost-view.ts'
import { formatElapsed, paint, print } from '../output/terminal.ts'
import type { SmokeResult } from './run.ts'

/** What the smoke test will do, with whose models, and what it may cost. */
export function printAnnouncement(task: string, used: { claude: string; login: Login }, config: Config): void {
  const { claude, login } = used
  const { ORCHESTRATOR_MODEL, CODE_MODEL, RW_MODEL, JUDGE_MODEL, NTFY_SERVER, GOOGLE_GEMINI_BASE_URL } = config
  const claudeUrl = pickVariables(['ANTHROPIC_BASE_URL'])['ANTHROPIC_BASE_URL']
  const channels = listEnabledChannels(config).map(name => (name === 'phone' ? `phone (${NTFY_SERVER})` : name))
  const printRow = (name: string, text: string) => print(`  ${name.padEnd(8)} ${sanitize(text)}`)
  print('The smoke test is one real session, from the task to the verdict, in an empty repository.\n')
  printRow('task', `${task.split(':')[0]}: add, gcd, is_prime, and tests`)
  printRow('models', `${ORCHESTRATOR_MODEL} plans, ${CODE_MODEL} or ${RW_MODEL} works, ${JUDGE_MODEL} judges`)
  printRow('claude', `${claude}${claudeUrl === undefined ? '' : `, at ${claudeUrl}`}`)
  printRow('login', login.kind === 'key' ? 'a key or token from the environment' : `your own (${login.configFile})`)
  printRow('judge', `GEMINI_API_KEY is set${GOOGLE_GEMINI_BASE_URL && `, at ${GOOGLE_GEMINI_BASE_URL}`}`)
  printRow('notify', channels.join(', ') || 'no channel is set: `dispatch notify setup`')
  printRow('cost', 'about $0.50 and 5 to 10 minutes. This is an estimate; models and prices change.')
  printRow('', 'With a Claude subscription, it counts against your limits instead.\n')
}

/** Cost, time, and what to do next. */
export function printSmokeResult({ id, state, exitCode, seconds, cost, channelTests }: SmokeResult): void {
  print()
  printCost(cost)
  print(`\n${paint('bold', 'Time')}  ${formatElapsed(seconds * 1000)} from the task to the verdict`)
  for (const { channel, ok, reason } of channelTests)
    if (!ok) print(paint('yellow', `\nThe ${channel} got no notification: ${sanitize(reason)}`))
  const letters = id.slice(-4)
  if (exitCode === exitCodes.ok) {
    print(
      `\n${paint('green', 'Smoke test passed.')} The session is closed. To remove it: dispatch rm --force ${letters}`,
    )
    return
  }
  print(`\n${paint('red', `Smoke test failed: the state is ${state}, not PASS.`)} To see why:`)
  print(`  dispatch show ${letters}                contract, evidence, verdict`)
  print(`  dispatch logs ${letters} orchestrator   what the orchestrator did`)
  print(`  dispatch attach ${letters}              its terminal; dispatch stop ${letters} ends it`)
}
