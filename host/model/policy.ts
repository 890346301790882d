import { z } from 'zod'

/** What a sandbox policy says about the way to the model. It names files and no secret. */
export const ModelPolicy = z.strictObject({
  placeholder: z.string(),
  /** The user's claude, which renews the login. */
  claude: z.string(),
  /** The user's folder of claude; null for claude's default. */
  configDirectory: z.string().nullable(),
  leaseFolder: z.string(),
})
export type ModelPolicy = z.infer<typeof ModelPolicy>
