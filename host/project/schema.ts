import path from 'node:path'
import { z } from 'zod'
import { parseHost } from '../sandbox/policy.ts'

/** A path inside the repository, from its top. */
const pathSchema = z
  .string()
  .min(1)
  .refine(
    file => !path.isAbsolute(file) && !file.split('/').some(step => step === '..' || step === '.git'),
    'must be a path from the top of the repository, without ..',
  )

const commandSchema = z
  .string()
  .min(1)
  .max(4096)
  .refine(text => !/[\n\r\0]/.test(text), 'must be one line')

/** What the setup and the checks of a repository need. The user confirms all of it (`isProjectConfirmed`). */
export const Project = z.strictObject({
  $schema: z.string().optional(),
  /** Commands that install the dependencies. They run one after the other in a clean copy of the repository. */
  setup: z.array(commandSchema).max(20).default([]),
  /** The files that these commands read. When one changes, the commands run again. */
  lockfiles: z.array(pathSchema).max(50).default([]),
  /** The hosts that the commands may reach. */
  hosts: z
    .array(z.string().refine(host => parseHost(host) !== undefined, 'must be a host name'))
    .max(50)
    .default([]),
  /** Names of variables that the commands need besides PATH, such as a token for a private registry. */
  environment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable'))
    .max(50)
    .default([]),
  /** Files of the user's home that the commands may read, such as `~/.npmrc`. Agents and checks cannot. */
  credentials: z
    .array(
      z
        .string()
        .refine(
          file => /^~\/[^\0\n]+$/.test(file) && !file.split('/').includes('..'),
          'must be a file of your home, such as ~/.npmrc',
        ),
    )
    .max(20)
    .default([]),
  /** Ignored files that the project needs: copied from the user's checkout for agents and checks. */
  files: z.array(pathSchema).max(50).default([]),
  /** Folders that the commands create, besides the usual ones. Trees with the same lock files share them. */
  makes: z.array(pathSchema).max(50).default([]),
  /** Seconds that each command may take. */
  limit: z.number().int().min(1).max(7200).default(900),
})

export type Project = z.infer<typeof Project>
