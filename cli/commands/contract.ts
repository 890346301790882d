import { exitCodes } from '#host/error.ts'
import { defineCommand } from '../command.ts'
import { pickSession, readConfigOrDefaults, readStatus } from '../input/session.ts'
import { printContract, readContractFile } from '../output/contract-view.ts'

export const command = defineCommand({
  about: `
Shows the sealed contract and, below each clause, the outcome of its check before the work and now, and its verdict. Before
the seal: the orchestrator's draft, and the problems in it. Without an id: the newest session.
`,
  options: { raw: { type: 'boolean', about: 'print the file, byte for byte' } },
  async run(values, [name]) {
    const session = pickSession(readConfigOrDefaults(), name)
    const status = readStatus(session)
    const contractFile = readContractFile(session, status)
    if (values.raw) {
      process.stdout.write(contractFile.content)
      if (contractFile.warning !== '') process.stderr.write(`dispatch: ${contractFile.warning}\n`)
    } else printContract(session, status, contractFile)
    return contractFile.isModified ? exitCodes.integrity : exitCodes.ok
  },
})
