import { main } from '#cli/main.ts'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readJson } from '#host/fs'
import { runSandboxed, SandboxPolicy } from '#host/sandbox'

/** `sandboxed.ts POLICY -- COMMAND…`: run a command as the policy in that file allows. Started by us, never by hand. */
await main(async () => {
  const [file = '', dashes, ...command] = process.argv.slice(2)
  const policy = SandboxPolicy.safeParse(readJson(file))
  if (dashes !== '--' || command.length === 0 || !policy.success)
    throw new DispatchError(`${file || 'nothing'} does not read as a policy and a command`, {
      exitCode: exitCodes.usage,
    })
  return runSandboxed(policy.data, command)
})
