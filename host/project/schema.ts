import path from 'node:path'
import { z } from 'zod'

/** A path inside the repository, from its top. */
const pathSchema = z
  .string()
  .min(1)
  .refine(
    name => !path.isAbsolute(name) && !name.split('/').some(step => step === '..' || step === '.git'),
    'a path from the top of the repository, without ..',
  )

const command = z
  .string()
  .min(1)
  .max(4096)
  .refine(text => !/[\n\r\0]/.test(text), 'one line')

/** What a repository needs before its checks mean anything. All of it is the user's word: shown and confirmed, see `isConfirmed`. */
export const Project = z.strictObject({
  $schema: z.string().optional(),
  /** Commands that fetch and build the dependencies, run one after the other in a clean copy of the repository. */
  setup: z.array(command).max(20).default([]),
  /** The files that these commands read: they are run again when one of these has changed. */
  lockfiles: z.array(pathSchema).max(50).default([]),
  /** The hosts that the commands may reach. */
  hosts: z
    .array(z.string().regex(/^[A-Za-z0-9.*-]+(:\d+)?$/, 'a host name'))
    .max(50)
    .default([]),
  /** Names of variables that the commands need besides PATH, such as a token for a private registry. */
  environment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable'))
    .max(50)
    .default([]),
  /** Files that git ignores and that the project needs all the same: copied from your checkout to agents and checks. */
  files: z.array(pathSchema).max(50).default([]),
  /** Folders that the commands make and that may be shared by every tree with these lock files, besides the usual ones. */
  makes: z.array(pathSchema).max(50).default([]),
  /** Seconds that each command may take. */
  limit: z.number().int().min(1).max(7200).default(900),
})

export type Project = z.infer<typeof Project>
