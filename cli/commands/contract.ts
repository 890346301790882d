import { exitCodes } from '#host/error.ts'
import { readLog } from '#session/log'
import { computeStatus } from '#session/status'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { pickSession } from '../input/pick-session.ts'
import { printContract, readContractFile } from '../output/contract-view.ts'

export const command = defineCommand({
  about: `
Shows the sealed contract and, below each clause, the outcome of its check before the work and now, and its verdict. Before
the seal: the orchestrator's draft, and the problems in it. Without an id: the newest session.
`,
  options: { raw: { type: 'boolean', about: 'print the file, byte for byte' } },
  async run(values, [name]) {
    const session = pickSession(readConfigOrDefaults(), name)
    const status = computeStatus(readLog(session.paths.events).events)
    const contractFile = readContractFile(session, status)
    if (values.raw) {
      process.stdout.write(contractFile.content)
      if (contractFile.warning !== '') process.stderr.write(`dispatch: ${contractFile.warning}\n`)
    } else printContract(session, status, contractFile)
    return contractFile.isModified ? exitCodes.integrity : exitCodes.ok
  },
})
