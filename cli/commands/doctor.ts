import { exitCodes } from '#host/error.ts'
import { defineCommand } from '../command.ts'
import { printResults } from '../doctor/result.ts'
import { runChecks } from '../doctor/run-checks.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Checks everything that a session needs on this machine, and says how to fix each problem. It changes nothing. Without
--online and --notify it sends nothing over the network.

ok: works. warn: worth knowing. FAIL: no session can start; the exit code is 6.
`,
  options: {
    online: { type: 'boolean', about: 'ask the judge one question (a few tokens), and GitHub what the login may do' },
    notify: { type: 'boolean', about: 'send one test notification by every channel that is set' },
    json: { type: 'boolean', about: 'print JSON instead of text, with the fixes for macOS and for Linux' },
  },
  async run(values) {
    const results = await runChecks({ online: values.online ?? false, notify: values.notify ?? false })
    if (values.json) print(JSON.stringify(results))
    else printResults(results)
    return results.some(({ state }) => state === 'fail') ? exitCodes.dependency : exitCodes.ok
  },
})
