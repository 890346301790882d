import path from 'node:path'
import { z } from 'zod'
import { parseHost } from '../sandbox/policy.ts'
import { Models } from './models.ts'

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

/** Variables for checks and workers; not those that a process of dispatch needs itself. */
const serviceVariablesSchema = z
  .record(
    z.string(),
    z
      .string()
      .max(4096)
      .refine(text => !text.includes('\0'), 'must be text'),
  )
  .refine(
    variables =>
      Object.keys(variables).every(name => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !reservedNames.test(name)),
    'has a name that is no name of a variable, or that the system or dispatch uses itself (PATH, HOME, DISPATCH_… and the like)',
  )

const reservedNames = /^(PATH|HOME|TMPDIR|LD_PRELOAD|LD_LIBRARY_PATH|NODE_OPTIONS|(DISPATCH|CLAUDE|ANTHROPIC)_.*)$/

/** A program that runs beside each check and each code worker, such as a database. */
export const Service = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'must be a short name: small letters, digits and -'),
  /** Starts it. It stays in the foreground. */
  command: commandSchema,
  /** Succeeds once the service can be used. It runs again and again until then. */
  ready: commandSchema,
  /** Seconds until it must be ready. */
  limit: z.number().int().min(1).max(600).default(30),
  /** For checks and workers. `$NAME_PORT` and `$NAME_DIR` in a value are replaced. */
  variables: serviceVariablesSchema.default({}),
})

export type Service = z.infer<typeof Service>

/** What the setup and the checks of a repository need. The user confirms all of it (`isProjectConfirmed`). */
export const Project = z.strictObject({
  $schema: z.string().optional(),
  /** Commands that install the dependencies. They run one after the other in a clean copy of the repository. */
  setup: z.array(commandSchema).max(20).default([]),
  /** The files that these commands read, or patterns of them (`matchesEntry`). When one changes, the commands run again. */
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
  /** Names of variables that lead to folders with compilers, for everything that runs in a session. Each may be read there. */
  toolchains: z
    .array(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be the name of a variable'))
    .max(20)
    .default([]),
  /** Files of the user's home that the commands may read, such as `~/.npmrc`. Agents and checks cannot. */
  credentials: z
    .array(
      z
        .string()
        .refine(
          file => /^~\/[^\0\n]+$/.test(file) && !file.split('/').includes('..'),
          'must be a file of your home folder, such as ~/.npmrc',
        ),
    )
    .max(20)
    .default([]),
  /** Ignored files that the project needs: copied from the user's checkout for agents and checks. */
  files: z.array(pathSchema).max(50).default([]),
  /** Folders and files that the commands create, besides the usual ones. Trees with the same lock files share them. */
  makes: z.array(pathSchema).max(50).default([]),
  /** Seconds that each command may take. */
  limit: z.number().int().min(1).max(7200).default(900),
  /** Programs that run beside each check and each code worker; each starts when the one before it is ready. */
  services: z
    .array(Service)
    .max(10)
    .refine(
      services => new Set(services.map(({ name }) => name)).size === services.length,
      'two services have the same name',
    )
    .default([]),
  /** Commands that must be green on what `dispatch land` is to push. They are read from the branch on which it lands. */
  gates: z.array(commandSchema).max(20).default([]),
  /** The models of queued work, by its priority or its tags. */
  models: Models,
})

export type Project = z.infer<typeof Project>
