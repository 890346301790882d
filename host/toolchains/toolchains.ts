import { z } from 'zod'

/** A folder with compilers or interpreters that is passed on. */
const Toolchain = z.object({
  name: z.string(),
  folder: z.string(),
  variable: z.string().nullable(),
  /** More that must be readable: the targets of links in it, and files of the home. */
  readable: z.array(z.string()),
  /** Files of the home that its programs look for in HOME, by their paths from there. */
  homeFiles: z.array(z.string()),
})
export type Toolchain = z.infer<typeof Toolchain>

/**
 * The toolchains of the user's shell, as they were found when the session began. There is no secret in it: only paths, and
 * names of versions. Nothing in it is ever writable for an agent or a check.
 */
export const Toolchains = z.object({
  /** For all that runs for a session: where its toolchains are, and which versions the user has chosen. */
  variables: z.record(z.string(), z.string()),
  found: z.array(Toolchain),
  /** One line for each that cannot be passed on: what is wrong, and which variable to name. */
  problems: z.array(z.string()),
})
export type Toolchains = z.infer<typeof Toolchains>

export const noToolchains: Toolchains = { variables: {}, found: [], problems: [] }
