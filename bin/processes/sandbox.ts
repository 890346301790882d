import { main } from '#cli/main.ts'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readJson } from '#host/fs'
import { runSandboxed, SandboxPolicy } from '#host/sandbox'

/** The sandbox launcher, `sandbox.ts POLICY -- COMMAND…`: runs the command under the policy in that file. */
await main(async () => {
  const [file = '', dashes, ...command] = process.argv.slice(2)
  const policy = SandboxPolicy.safeParse(readJson(file))
  if (dashes !== '--' || command.length === 0 || !policy.success)
    throw new DispatchError(`invalid sandbox policy or command: ${file || 'no file'}`, { exitCode: exitCodes.usage })
  return runSandboxed(policy.data, command)
})
